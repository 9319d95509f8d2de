import { describe, expect, it } from "vitest";
import { encodeChunk } from "../dev/chunks";
import { decodeChunk, ownView } from "../src/protocol";
import { smallChunk } from "./chunks";

describe("decodeChunk", () => {
  it("gives every column of every row", () => {
    const chunk = decodeChunk(smallChunk([7, 8]));
    expect([chunk.count, chunk.steps, chunk.lags]).toEqual([2, 3, 2]);
    expect(Array.from(chunk.batch)).toEqual([7, 8]);
    const snapshot = chunk.snapshot(1);
    expect([snapshot.batch, snapshot.start, snapshot.stop]).toEqual([8, 24, 27]);
    expect(Array.from(snapshot.loss)).toEqual([4, 5, 6]);
    expect(Array.from(snapshot.target)).toEqual([3, 4, 5]);
    const { pieces, total, beyond, max } = snapshot.items("norm");
    expect(Array.from(pieces)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(Array.from(total)).toEqual([3, 4, 5]);
    expect(Array.from(beyond)).toEqual([30, 40, 50]);
    expect(max).toBe(1);
    expect(snapshot.items("share").pieces[0]).toBe(-6);
  });

  it("tells the flags apart", () => {
    const snapshots = [0, 1, 2, 4].map((flag) => decodeChunk(smallChunk([1], flag)).snapshot(0));
    expect(snapshots.map(({ diverged }) => diverged)).toEqual([false, true, false, false]);
    expect(snapshots.map(({ zeroState }) => zeroState)).toEqual([false, false, true, false]);
    expect(snapshots.map(({ clipped }) => clipped)).toEqual([false, false, false, true]);
  });

  it("copies nothing: rows are views on the chunk's own bytes", () => {
    const buffer = smallChunk([7, 8]);
    expect(decodeChunk(buffer).snapshot(1).items("norm").pieces.buffer).toBe(buffer);
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
    const encoded = smallChunk([5]);
    const larger = new Uint8Array(encoded.byteLength + offset + 5);
    larger.set(new Uint8Array(encoded), offset);
    const chunk = decodeChunk(wrap(larger.buffer, offset, encoded.byteLength));
    expect(chunk.snapshot(0).batch).toBe(5);
    expect(Array.from(chunk.snapshot(0).items("norm").pieces)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("keeps values that JSON could not carry", () => {
    const chunk = decodeChunk(
      encodeChunk({
        count: 1,
        steps: 1,
        lags: 1,
        columns: [
          ["batch", "i4", [1], [0]],
          ["flags", "i4", [1], [1]],
          ["max:W_hh", "f4", [1], [Number.POSITIVE_INFINITY]],
        ],
      }),
    );
    expect(chunk.max("norm")[0]).toBe(Number.POSITIVE_INFINITY);
    expect(() => chunk.max("share")).toThrow("no column max:W_hh:share");
  });

  it("refuses what is cut short, too long, or of another version", () => {
    const buffer = smallChunk([1]);
    expect(() => decodeChunk(new ArrayBuffer(2))).toThrow("no header");
    expect(() => decodeChunk(buffer.slice(0, 40))).toThrow("header ends at byte");
    expect(() => decodeChunk(buffer.slice(0, buffer.byteLength - 4))).toThrow("inside column beyond:W_hh:share");
    const longer = new Uint8Array(buffer.byteLength + 4);
    longer.set(new Uint8Array(buffer));
    expect(() => decodeChunk(longer)).toThrow("4 bytes after its columns");
    const header = new TextEncoder().encode('{"version":2,"columns":[]}  ');
    const other = new Uint8Array(4 + header.length);
    other.set([header.length]);
    other.set(header, 4);
    expect(() => decodeChunk(other)).toThrow("version 2");
  });
});

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
