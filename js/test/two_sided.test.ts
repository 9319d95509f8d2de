import { describe, expect, it } from "vitest";
import { createRandom } from "../dev/synthetic";
import { describeDecay, fallsBelow, piecesOf } from "../src/geometry/decay";
import { createLadder, isEarlier, rungName, rungOf } from "../src/geometry/ladder";
import { createStack } from "../src/geometry/stack";
import type { Items, Snapshot } from "../src/protocol/chunks";
import { indexOf, lagsOf } from "../src/protocol/lags";

/** Pieces of `steps` steps and k lags each way, by a rule. */
function bothSides(steps: number, k: number, piece: (step: number, lag: number) => number, beyond = 0, total = 1) {
  const items: Items = {
    firstLag: 1 - k,
    lags: 2 * k - 1,
    pieces: new Float32Array(steps * (2 * k - 1)),
    total: new Float32Array(steps).fill(total),
    beyond: new Float32Array(steps).fill(beyond),
    bound: null,
  };
  for (let step = 0; step < steps; step += 1) {
    const { first, end } = lagsOf(step, steps, items);
    for (let lag = first; lag < end; lag += 1) items.pieces[indexOf(step, lag, items)] = piece(step, lag);
  }
  const snapshot = { steps, zeroState: false, counted: null, items: () => items } as unknown as Snapshot;
  return { items, snapshot };
}

describe("the ladder of two sides", () => {
  it("goes outwards on either side, with the same shades", () => {
    const ladder = createLadder({ firstLag: -3, lags: 6 });
    expect(ladder.map(({ first, last, shade }) => [first, last, shade])).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 2],
      [-1, -1, 1],
      [-2, -2, 2],
      [-3, -3, 3],
    ]);
  });

  it.each([33, 50, 512])("mirrors its groups, and has every one of %i lags each way once", (k) => {
    const ladder = createLadder({ firstLag: 1 - k, lags: 2 * k - 1 });
    const earlier = ladder.filter(isEarlier);
    const later = ladder.filter((rung) => !isEarlier(rung)).slice(1);
    expect(earlier.map(rungName)).toEqual(later.map(rungName));
    expect(earlier.map(({ shade }) => shade)).toEqual(later.map(({ shade }) => shade));
    for (let lag = 1 - k; lag < k; lag += 1) {
      const found = ladder.filter(({ first, last }) => lag >= first && lag <= last);
      expect(found).toEqual([rungOf(ladder, lag)]);
    }
  });
});

describe("bars about one axis", () => {
  it("stack later losses up and earlier ones down, a step's own at the axis, what lies beyond on top", () => {
    const { items, snapshot } = bothSides(3, 3, (step, lag) => step + 1 + 10 * Math.abs(lag), 0.5, 6);
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.piece(1, 0)).toMatchObject({ low: 0, high: 2 });
    expect(stack.piece(1, 1)).toMatchObject({ low: 2, high: 14 });
    expect(stack.piece(1, -1)).toMatchObject({ low: -12, high: 0 });
    expect(stack.piece(2, -2)).toMatchObject({ low: -36, high: -13 });
    expect(stack.piece(0, -1)).toBeNull();
    expect(stack.beyond[1]).toMatchObject({ low: 14, high: 14.5 });
    expect(stack.marks?.[1], "counted from the lower end").toBe(-6);
    expect(stack.extent).toEqual([-36, 33.5]);
    expect(stack.find(2, -20, 0)).toMatchObject({ step: 2, lag: -2 });
    expect(stack.find(2, -40, 1)).toBeNull();
  });

  it("draw negative shares by size, and say that they are against the rest", () => {
    const { items, snapshot } = bothSides(3, 2, (_, lag) => (lag === -1 ? -4 : 3));
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.piece(1, -1)).toMatchObject({ low: -4, high: 0 });
    const against = stack.parts.filter((part) => part.against);
    expect(against.map(({ step, lag }) => [step, lag])).toEqual([
      [1, -1],
      [2, -1],
    ]);
  });

  it("of a layer that only earlier losses reach hang down, its own loss first", () => {
    const items: Items = {
      firstLag: -1,
      lags: 2,
      pieces: Float32Array.of(0, 1, 2, 3),
      total: null,
      beyond: null,
      bound: null,
    };
    const stack = createStack({ steps: 2 } as Snapshot, items, createLadder(items));
    expect(stack.piece(1, 0)).toMatchObject({ low: -3, high: 0 });
    expect(stack.piece(1, -1)).toMatchObject({ low: -5, high: -3 });
    expect([stack.extent, stack.marks]).toEqual([[-5, 0], null]);
  });

  it.each([4, 40])("are as long as the sizes of their pieces (%i lags each way, grouped or not)", (k) => {
    const random = createRandom(k);
    const { items, snapshot } = bothSides(50, k, () => 2 * random() - 1);
    const stack = createStack(snapshot, items, createLadder(items));
    for (let step = 0; step < 50; step += 1) {
      const { first, end } = lagsOf(step, 50, items);
      let [up, down] = [0, 0];
      for (let lag = first; lag < end; lag += 1) {
        const size = Math.abs(items.pieces[indexOf(step, lag, items)]);
        if (lag < 0) down += size;
        else up += size;
        const piece = stack.piece(step, lag);
        expect((piece?.high ?? 0) - (piece?.low ?? 0)).toBeCloseTo(size, 6);
      }
      const parts = stack.parts.filter((part) => part.step === step);
      expect(Math.max(...parts.map(({ high }) => high))).toBeCloseTo(up, 5);
      expect(Math.min(...parts.map(({ low }) => low))).toBeCloseTo(-down, 5);
      const lengths = parts.reduce((sum, { low, high }) => sum + high - low, 0);
      expect(lengths).toBeCloseTo(up + down, 5);
    }
  });
});

describe("a loss that reaches both ways", () => {
  it("has pieces at steps after it and before it", () => {
    const { items, snapshot } = bothSides(4, 3, (step, lag) => 10 * step + lag);
    expect(piecesOf(1, snapshot, items)).toEqual([
      { step: 3, lag: -2, value: 28 },
      { step: 2, lag: -1, value: 19 },
      { step: 1, lag: 0, value: 10 },
      { step: 0, lag: 1, value: 1 },
    ]);
  });

  it("is followed back and ahead, each to where it is gone or to the end", () => {
    const { snapshot } = bothSides(20, 20, (_, lag) => (lag > 0 ? 0.2 ** lag : 0.8 ** -lag));
    expect(fallsBelow(10, snapshot, "W_hh")).toEqual([3]);
    expect(describeDecay(10, snapshot, "W_hh")).toBe(
      "gradient falls below 1 % of its largest piece 3 steps back; " +
        "it is still 13.4 % of its largest piece where the window ends, 9 steps ahead",
    );
    const steep = bothSides(20, 4, (_, lag) => 0.05 ** Math.abs(lag)).snapshot;
    expect(fallsBelow(10, steep, "W_hh")).toEqual([2, -2]);
    expect(describeDecay(0, steep, "W_hh")).toBe("gradient falls below 1 % of its largest piece 2 steps ahead");
    const few = bothSides(20, 3, (_, lag) => 0.5 ** Math.abs(lag)).snapshot;
    expect(describeDecay(10, few, "W_hh")).toContain("at the last recorded lag, 2 steps ahead");
  });

  it("is measured by its largest piece, on whichever side that is", () => {
    const { snapshot } = bothSides(9, 9, (_, lag) => ({ "-2": 1, 0: 0.001, 1: 0.5, 2: 0.004 })[lag] ?? 0.02);
    expect(fallsBelow(4, snapshot, "W_hh")).toEqual([2]);
  });

  it("does not take the zero state that a reverse layer begins with for vanishing", () => {
    const { snapshot } = bothSides(4, 4, (step, lag) => (step === 3 ? 0 : 0.5 ** Math.abs(lag)));
    expect(fallsBelow(1, snapshot, "W_hh_l0_reverse")).toEqual([]);
    expect(fallsBelow(1, snapshot, "W_ih_l0_reverse")).toEqual([-2]);
  });
});
