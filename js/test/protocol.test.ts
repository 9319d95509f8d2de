import { describe, expect, it } from "vitest";
import { encodeChunk } from "../dev/chunks";
import { decodeChunk, ownView } from "../src/protocol";
import { decodeDetails, decodeOverview, detailsChunk, overviewChunk } from "./chunks";

describe("an overview", () => {
  it("has the numbers of every row", () => {
    const chunk = decodeOverview(overviewChunk([7, 8], 5, 0.25));
    expect(chunk.count).toBe(2);
    expect(Array.from(chunk.batch)).toEqual([7, 8]);
    expect([Array.from(chunk.start), Array.from(chunk.stop)]).toEqual([
      [21, 24],
      [24, 27],
    ]);
    expect(Array.from(chunk.flags)).toEqual([5, 5]);
    expect(Array.from(chunk.max("share"))).toEqual([0.25, 0.25]);
    expect(Array.from(chunk.mean("norm"))).toEqual([0.125, 0.125]);
    const others = [chunk.gradNorm, chunk.updateNorm, chunk.horizonLength, chunk.loss, chunk.accuracy];
    expect(others.map((values) => Array.from(values))).toEqual(Array(5).fill([1, 1]));
  });

  it("keeps values that JSON could not carry", () => {
    const chunk = decodeOverview(overviewChunk([0], 1, Number.POSITIVE_INFINITY));
    expect(chunk.max("norm")[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it("is refused if it lacks a column", () => {
    const few = encodeChunk({ kind: "overview", count: 1, columns: [["batch", "i4", [1], [0]]] });
    expect(() => decodeChunk(few)).toThrow("no column start");
  });
});

describe("details", () => {
  it("have every column of every row", () => {
    const chunk = decodeDetails(detailsChunk([7, 8]));
    expect([chunk.count, chunk.steps, chunk.lags]).toEqual([2, 3, 2]);
    expect(Array.from(chunk.batch)).toEqual([7, 8]);
    const snapshot = chunk.snapshot(1);
    expect([snapshot.batch, snapshot.zeroState]).toEqual([8, false]);
    expect(Array.from(snapshot.loss)).toEqual([4, 5, 6]);
    expect(Array.from(snapshot.target)).toEqual([3, 4, 5]);
    const { pieces, total, beyond } = snapshot.items("norm");
    expect(Array.from(pieces)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(Array.from(total)).toEqual([3, 4, 5]);
    expect(Array.from(beyond)).toEqual([30, 40, 50]);
    expect(snapshot.items("share").pieces[0]).toBe(-6);
    expect(decodeDetails(detailsChunk([0], 2)).snapshot(0).zeroState).toBe(true);
  });

  it("say which stream they are of; an average has shares of streams instead of labels, a stream its own place", () => {
    const whole = decodeDetails(detailsChunk([7])).snapshot(0);
    expect([whole.stream, whole.accuracy, whole.start]).toEqual([null, null, null]);
    const shares = ["accuracy", "f4", [2, 3], [0, 0.25, 0.5, 0.75, 1, 0]] as const;
    const average = decodeDetails(detailsChunk([7, 8], 0, null, [shares])).snapshot(1);
    expect([average.stream, Array.from(average.accuracy ?? []), average.start]).toEqual([null, [0.75, 1, 0], null]);
    const chunk = decodeDetails(detailsChunk([7, 8], 0, 2, [["start", "i4", [2], [500, 503]]]));
    const stream = chunk.snapshot(1);
    expect([chunk.stream, stream.stream, stream.accuracy, stream.start]).toEqual([2, 2, null, 503]);
  });

  it("copy nothing: rows are views on the chunk's own bytes", () => {
    const buffer = detailsChunk([7, 8]);
    expect(decodeDetails(buffer).snapshot(1).items("norm").pieces.buffer).toBe(buffer);
  });

  it.each([
    ["DataView", 0, (buffer: ArrayBuffer, offset: number, length: number) => new DataView(buffer, offset, length)],
    [
      "bytes at an aligned offset",
      8,
      (buffer: ArrayBuffer, offset: number, length: number) => new Uint8Array(buffer, offset, length),
    ],
    [
      "bytes at a misaligned offset",
      3,
      (buffer: ArrayBuffer, offset: number, length: number) => new DataView(buffer, offset, length),
    ],
  ])("reads %s", (_, offset, wrap) => {
    const encoded = detailsChunk([5]);
    const larger = new Uint8Array(encoded.byteLength + offset + 5);
    larger.set(new Uint8Array(encoded), offset);
    const chunk = decodeDetails(wrap(larger.buffer, offset, encoded.byteLength));
    expect(chunk.snapshot(0).batch).toBe(5);
    expect(Array.from(chunk.snapshot(0).items("norm").pieces)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("are refused if cut short, too long, or of another version or kind", () => {
    const buffer = detailsChunk([1]);
    expect(() => decodeChunk(new ArrayBuffer(2))).toThrow("no header");
    expect(() => decodeChunk(buffer.slice(0, 40))).toThrow("header ends at byte");
    expect(() => decodeChunk(buffer.slice(0, buffer.byteLength - 4))).toThrow("inside column beyond:W_hh:share");
    const longer = new Uint8Array(buffer.byteLength + 4);
    longer.set(new Uint8Array(buffer));
    expect(() => decodeChunk(longer)).toThrow("4 bytes after its columns");
    expect(() => decodeChunk(headed('{"version":1,"columns":[]}'))).toThrow("version 1");
    expect(() => decodeChunk(headed('{"version":2,"kind":"x","columns":[]}'))).toThrow("kind x");
  });
});

/** A chunk that is nothing but a header. */
function headed(text: string): Uint8Array {
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
  const bytes = new Uint8Array(4 + header.length);
  bytes.set([header.length]);
  bytes.set(header, 4);
  return bytes;
}

describe("ownView", () => {
  it("gives a view that starts its own buffer", () => {
    const bytes = Uint8Array.of(9, 9, 1, 2, 3, 9);
    const view = ownView(new DataView(bytes.buffer, 2, 3));
    expect([view.byteOffset, view.buffer.byteLength]).toEqual([0, 3]);
    expect(view.getUint8(0)).toBe(1);
  });

  it("does not copy a view that already does", () => {
    const view = new DataView(new ArrayBuffer(8));
    expect(ownView(view)).toBe(view);
    expect(ownView(view.buffer).buffer).toBe(view.buffer);
  });
});
