import { describe, expect, it } from "vitest";
import { encodeChunk } from "../dev/chunks";
import { syntheticCell, syntheticUnits } from "../dev/synthetic_parts";
import { decodeChunk, ownView } from "../src/protocol/chunks";
import { decodeDetails, decodeOverview, detailsChunk, NETWORK, overviewChunk, withHeader } from "./chunks";

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
    expect(Array.from(chunk.columns.get("max:W_hh:share") ?? [])).toEqual([0.25, 0.25]);
    expect(Array.from(chunk.columns.get("mean:W_hh") ?? [])).toEqual([0.125, 0.125]);
    for (const name of ["grad_norm", "update_norm", "horizon_length", "loss", "accuracy"]) {
      expect(Array.from(chunk.columns.get(name) ?? [])).toEqual([1, 1]);
    }
  });

  it("keeps values that JSON could not carry", () => {
    const chunk = decodeOverview(overviewChunk([0], 1, Number.POSITIVE_INFINITY));
    expect(chunk.columns.get("max:W_hh")?.[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it("is refused if it lacks a column", () => {
    const few = encodeChunk({ kind: "overview", count: 1, columns: [["batch", "i4", [1], [0]]] });
    expect(() => decodeChunk(few)).toThrow("no column start");
  });
});

describe("details", () => {
  it("have every column of every row", () => {
    const chunk = decodeDetails(detailsChunk([7, 8]));
    expect([chunk.count, chunk.part]).toEqual([2, null]);
    expect(Array.from(chunk.batch)).toEqual([7, 8]);
    const snapshot = chunk.read(1);
    expect([snapshot.batch, snapshot.steps, snapshot.zeroState]).toEqual([8, 3, false]);
    expect(snapshot.surfaces).toEqual(["W_hh"]);
    expect(Array.from(snapshot.loss)).toEqual([4, 5, 6]);
    expect(Array.from(snapshot.target)).toEqual([3, 4, 5]);
    const { pieces, total, beyond, firstLag, lags, bound } = snapshot.items("W_hh", "norm");
    expect(Array.from(pieces)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(Array.from(total ?? [])).toEqual([3, 4, 5]);
    expect(Array.from(beyond ?? [])).toEqual([30, 40, 50]);
    expect([firstLag, lags, bound]).toEqual([0, 2, null]);
    expect(snapshot.items("W_hh", "share").pieces[0]).toBe(-6);
    // What is worked out from items is kept by them while a batch is zoomed.
    expect(snapshot.items("W_hh", "share")).toBe(snapshot.items("W_hh", "share"));
    expect(decodeDetails(detailsChunk([0], 2)).read(0).zeroState).toBe(true);
  });

  it("say which stream they are of; an average has shares of streams instead of labels, a stream its own place", () => {
    const whole = decodeDetails(detailsChunk([7])).read(0);
    expect([whole.stream, whole.accuracy, whole.start]).toEqual([null, null, null]);
    const shares = ["accuracy", "f4", [2, 3], [0, 0.25, 0.5, 0.75, 1, 0]] as const;
    const average = decodeDetails(detailsChunk([7, 8], 0, null, [shares])).read(1);
    expect([average.stream, Array.from(average.accuracy ?? []), average.start]).toEqual([null, [0.75, 1, 0], null]);
    const chunk = decodeDetails(detailsChunk([7, 8], 0, 2, [["start", "i4", [2], [500, 503]]]));
    const stream = chunk.read(1);
    expect([chunk.stream, stream.stream, stream.accuracy, stream.start]).toEqual([2, 2, null, 503]);
  });

  it("have several surfaces, each with its own lags, and of a Jacobian only the norm, with its bound", () => {
    const chunk = decodeChunk(
      encodeChunk({
        kind: "details",
        count: 1,
        steps: 2,
        stream: null,
        part: "jacobian_l1",
        first_lags: { "W_hh_l1[f]": -1 },
        columns: [
          ["batch", "i4", [1], [4]],
          ["flags", "i4", [1], [0]],
          ...["loss", "probability"].map((name) => [name, "f4", [1, 2], [1, 1]] as const),
          ...["target", "prediction"].map((name) => [name, "i4", [1, 2], [1, 1]] as const),
          ["items:W_hh_l1[f]", "f4", [1, 2, 3], [0, 1, 2, 3, 4, 0]],
          ["items:W_hh_l1[f]:share", "f4", [1, 2, 3], [0, -1, 2, 3, 4, 0]],
          ["items:jacobian_l1", "f4", [1, 2, 2], [1, 2, 3, 0]],
          ["bound:jacobian_l1", "f4", [1, 2], [1, 5]],
        ],
      }),
    );
    if (chunk.kind !== "details") throw new Error(chunk.kind);
    const snapshot = chunk.read(0);
    expect([snapshot.part, snapshot.surfaces]).toEqual(["jacobian_l1", ["W_hh_l1[f]", "jacobian_l1"]]);
    expect(snapshot.items("W_hh_l1[f]", "share")).toMatchObject({ firstLag: -1, lags: 3, total: null, bound: null });
    const { firstLag, lags, bound, total } = snapshot.items("jacobian_l1", "norm");
    expect([firstLag, lags, Array.from(bound ?? []), total]).toEqual([0, 2, [1, 5], null]);
    expect(() => snapshot.items("jacobian_l1", "share")).toThrow("no column items:jacobian_l1:share");
  });

  it("copy nothing: rows are views on the chunk's own bytes", () => {
    const buffer = detailsChunk([7, 8]);
    expect(decodeDetails(buffer).read(1).items("W_hh", "norm").pieces.buffer).toBe(buffer);
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
    expect(chunk.read(0).batch).toBe(5);
    expect(Array.from(chunk.read(0).items("W_hh", "norm").pieces)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("are refused if cut short, too long, or of another version or kind", () => {
    const buffer = detailsChunk([1]);
    expect(() => decodeChunk(new ArrayBuffer(2))).toThrow("no header");
    expect(() => decodeChunk(buffer.slice(0, 40))).toThrow("header ends at byte");
    expect(() => decodeChunk(buffer.slice(0, buffer.byteLength - 4))).toThrow("inside column beyond:W_hh:share");
    const longer = new Uint8Array(buffer.byteLength + 4);
    longer.set(new Uint8Array(buffer));
    expect(() => decodeChunk(longer)).toThrow("4 bytes after its columns");
    expect(() => decodeChunk(withHeader('{"version":1,"columns":[]}'))).toThrow("version 1");
    expect(() => decodeChunk(withHeader('{"version":2,"kind":"x","columns":[]}'))).toThrow("kind x");
  });
});

describe("parts of a batch", () => {
  const settings = { ...NETWORK, layers: 2, bidirectional: true };

  it("are hidden units, with numbers of each, of its bars and of its lags", () => {
    const chunk = decodeChunk(syntheticUnits(9, settings, null, "W_hh_l0_reverse"));
    if (chunk.kind !== "units") throw new Error(chunk.kind);
    expect([chunk.part, Array.from(chunk.batch), chunk.stream]).toEqual(["units:W_hh_l0_reverse", [9], null]);
    const units = chunk.read(0);
    expect(units).toMatchObject({ batch: 9, surface: "W_hh_l0_reverse", units: 5, steps: 6, firstLag: -3, lags: 7 });
    for (const values of [units.size, units.share, units.reach, units.agreement]) expect(values).toHaveLength(5);
    expect([units.bars.length, units.profile.length]).toEqual([30, 35]);
    expect(units.share.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  it("are what flows in a cell, along every edge", () => {
    const chunk = decodeChunk(syntheticCell(9, settings, null, "cell:_l1"));
    if (chunk.kind !== "cell") throw new Error(chunk.kind);
    expect(chunk.part).toBe("cell:_l1");
    const flow = chunk.read(0);
    expect(flow).toMatchObject({ batch: 9, suffix: "_l1", steps: 6, firstLag: 0, lags: 4 });
    expect(flow.edges.map(({ name }) => name)).toContain("c_before");
    for (const { sizes } of flow.edges) expect(sizes).toHaveLength(24);
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
