import { describe, expect, it } from "vitest";
import cases from "../../tests/readings.json";
import type { Items, Snapshot } from "../src/protocol/chunks";
import { describeReading, read } from "../src/words/reading";

/** The kernel reads the same cases (tests/test_reading.py). */
describe.each(cases)("reading: $name", (known) => {
  const items = (pieces: number[][]): Items => ({
    firstLag: 0,
    lags: pieces[0].length,
    bound: null,
    pieces: Float32Array.from(pieces.flat()),
    total: Float32Array.from(known.totals),
    beyond: null,
  });
  const snapshot = {
    steps: known.pieces.length,
    counted: known.counted && Float32Array.from(known.counted),
    zeroState: known.zero_state,
    has: () => true,
    items: (_, measure) => items(measure === "share" ? known.shares : known.pieces),
  } as Partial<Snapshot> as Snapshot;
  const found = read(snapshot, known.surface);

  it("finds the figures that Python finds", () => {
    const [lag, part] = known.near ?? [null, null];
    expect(found.near?.lag ?? null).toBe(lag);
    if (part !== null) expect(found.near?.part).toBeCloseTo(part, 4);
    else expect(found.near).toBeNull();
    expect(found.reach && [found.reach.steps, found.reach.seen]).toEqual(known.reach);
    expect(found.growth ?? 0).toBeCloseTo(known.growth ?? 0, 3);
  });

  it("says what Python says", () => {
    expect(describeReading(found, known.surface)).toBe(known.sentence);
  });
});

it("says nothing of what it cannot read", () => {
  const flat = { firstLag: 0, lags: 9, bound: null, pieces: new Float32Array(81).fill(1), total: null, beyond: null };
  const snapshot = { steps: 9, counted: null, zeroState: false, items: () => flat } as Partial<Snapshot> as Snapshot;
  for (const surface of ["h", "W_ih", "jacobian", "W_hh[f]"]) {
    expect(describeReading(read(snapshot, surface), surface)).toBe("");
  }
  const twoSided = { ...snapshot, items: () => ({ ...flat, firstLag: -4 }) } as Snapshot;
  expect(describeReading(read(twoSided, "W_hh"), "W_hh")).toBe("");
});
