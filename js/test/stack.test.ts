import { describe, expect, it } from "vitest";
import type { Shown } from "../src/figure/figure";
import { describeDecay, fallsBelow, openingLoss, piecesOf, type Received, strongestLoss } from "../src/geometry/decay";
import { createLadder } from "../src/geometry/ladder";
import { createStack } from "../src/geometry/stack";
import { horizonNotes } from "../src/panels/horizon_notes";
import type { Items, Snapshot } from "../src/protocol/chunks";

function snapshotOf(pieces: number[][], changes: Partial<Snapshot> = {}, beyond?: number[]) {
  const steps = pieces.length;
  const items: Items = {
    firstLag: 0,
    lags: pieces[0].length,
    bound: null,
    pieces: Float32Array.from(pieces.flat()),
    total: Float32Array.from(pieces, (row) => row.reduce((sum, value) => sum + value, 0)),
    beyond: Float32Array.from(beyond ?? Array<number>(steps).fill(0)),
  };
  const snapshot = { steps, counted: null, zeroState: false, items: () => items, ...changes } as Snapshot;
  return { snapshot, items };
}

/** Pieces of `steps` steps that decay by `factor` with each lag. */
function decaying(steps: number, lags: number, factor: number) {
  return Array.from({ length: steps }, (_, step) =>
    Array.from({ length: lags }, (_, lag) => (step + lag < steps ? factor ** lag : 0)),
  );
}

describe("stack", () => {
  it("puts own losses lowest, later ones above, what lies beyond on top", () => {
    const { snapshot, items } = snapshotOf(
      [
        [1, 2],
        [4, 8],
      ],
      {},
      [0.5, 0],
    );
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.parts).toEqual([
      { step: 0, lag: 0, rung: 0, against: false, low: 0, high: 1 },
      { step: 0, lag: 1, rung: 1, against: false, low: 1, high: 3 },
      { step: 1, lag: 0, rung: 0, against: false, low: 0, high: 4 },
    ]);
    expect(stack.beyond[0]).toEqual({ step: 0, lag: null, low: 3, high: 3.5 });
    expect(stack.bars[0]).toEqual({ step: 0, lag: null, low: 0, high: 3.5 });
    expect(stack.extent).toEqual([0, 12]);
  });

  it("stacks negative shares downwards", () => {
    const { snapshot, items } = snapshotOf(
      [
        [3, -1, -2],
        [0, 0, 0],
        [0, 0, 0],
      ],
      {},
      [1, 0, 0],
    );
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.piece(0, 1)).toMatchObject({ low: -1, high: 0 });
    expect(stack.piece(0, 2)).toMatchObject({ low: -3, high: -1 });
    expect(stack.piece(0, null)).toMatchObject({ low: 3, high: 4 });
    expect(stack.bars[0]).toMatchObject({ low: -3, high: 4 });
    expect(stack.extent).toEqual([-3, 4]);
  });

  it("leaves out what is not finite and says so", () => {
    const { snapshot, items } = snapshotOf([
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, 0],
    ]);
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.incomplete).toBe(true);
    expect(stack.piece(0, 1)).toMatchObject({ low: 0, high: 1 });
    expect(stack.extent).toEqual([0, 1]);
  });

  it("finds the part that holds a value, or the end of a bar that is near", () => {
    const { snapshot, items } = snapshotOf(
      [
        [1, 2],
        [4, 0],
      ],
      {},
      [0.5, 0],
    );
    const stack = createStack(snapshot, items, createLadder(items));
    expect(stack.find(0, 0.5, 0)).toMatchObject({ lag: 0 });
    expect(stack.find(0, 2.9, 0)).toMatchObject({ lag: 1 });
    expect(stack.find(0, 3.2, 0)).toMatchObject({ lag: null });
    expect(stack.find(0, 3.6, 0.2)).toMatchObject({ lag: null });
    expect(stack.find(0, 4, 0.2)).toBeNull();
    expect(stack.piece(1, 1)).toBeNull();
    expect(stack.piece(2, null)).toBeNull();
  });
});

describe("decay", () => {
  it("follows a loss back, as far as lags were recorded", () => {
    const { snapshot, items } = snapshotOf([
      [1, 2],
      [3, 4],
      [5, 0],
    ]);
    expect(piecesOf(2, snapshot, items)).toEqual([
      { step: 2, lag: 0, value: 5 },
      { step: 1, lag: 1, value: 4 },
    ]);
    expect(piecesOf(0, snapshot, items)).toHaveLength(1);
    expect(strongestLoss(snapshot, items)).toBe(2);
    const larger = snapshotOf([
      [1, 9],
      [3, 4],
      [5, 0],
    ]);
    expect(openingLoss(larger.snapshot, "W_hh", larger.items)).toBe(1);
    expect(openingLoss(larger.snapshot, "jacobian", larger.items)).toBe(2);
  });

  it.each([
    ["a gradient that vanishes", 10, 10, 0.2, 9, "gradient falls below 1 % of its largest piece 3 steps back"],
    ["one that vanishes at once", 10, 10, 0.001, 9, "gradient falls below 1 % of its largest piece 1 step back"],
    [
      "lags that end first",
      10,
      4,
      0.5,
      9,
      "gradient is still 12.5 % of its largest piece at the last recorded lag, 3 steps back",
    ],
    [
      "a window that begins first",
      10,
      10,
      0.5,
      2,
      "gradient is still 25.0 % of its largest piece where the window begins, 2 steps back",
    ],
    ["one recorded lag", 10, 1, 0.5, 5, "only its own step was recorded"],
    ["the first step", 10, 5, 0.5, 0, "the window begins here"],
  ])("describes %s", (_, steps, lags, factor, loss, words) => {
    expect(describeDecay(loss, snapshotOf(decaying(steps, lags, factor)).snapshot, "W_hh")).toBe(words);
  });

  it("marks the first fall after the largest piece, as the horizon length has it", () => {
    const sent = (sizes: number[]) => {
      const pieces = sizes.map(() => sizes.map(() => 0));
      sizes.forEach((size, lag) => {
        pieces[sizes.length - 1 - lag][lag] = size;
      });
      return snapshotOf(pieces).snapshot;
    };
    expect(fallsBelow(5, sent([0.001, 1, 0.5, 0.009, 0.2, 0.001]), "W_hh")).toEqual([3]);
    expect(fallsBelow(3, sent([1, 0.0101, 0.02, 0.03]), "W_hh")).toEqual([]);
    expect(fallsBelow(2, sent([0, 0, 0]), "W_hh")).toEqual([]);
    expect(fallsBelow(2, sent([1, Number.NaN, 0]), "W_hh")).toEqual([]);
  });

  it("does not call the zero state before the window vanishing", () => {
    const pieces = decaying(4, 4, 0.5);
    pieces[0].fill(0);
    const zero = snapshotOf(pieces, { zeroState: true }).snapshot;
    expect(describeDecay(2, zero, "W_hh")).toBe(
      "gradient is still 50.0 % of its largest piece where the window begins, 1 step back",
    );
    expect(describeDecay(0, zero, "W_hh")).toContain("state before this step is zero");
  });

  it("describes gradients that are zero or not finite", () => {
    expect(
      describeDecay(
        1,
        snapshotOf([
          [0, 0],
          [0, 0],
        ]).snapshot,
        "W_hh",
      ),
    ).toBe("its gradient is exactly zero");
    expect(
      describeDecay(
        1,
        snapshotOf([
          [0, Number.NaN],
          [0, 0],
        ]).snapshot,
        "W_hh",
      ),
    ).toBe("its gradient is not finite");
  });
});

describe("notes below panel 4", () => {
  const notesOf = (received: Received[], of: Shown, log: boolean, sent = true) => horizonNotes(received, of, log, sent);
  const pieces = [0.5, -0.2, 0, 0, Number.NaN].map((value, lag) => ({ step: 4 - lag, lag, value }));
  const shown = (first: number, zeroState = false) =>
    ({ snapshot: { zeroState, steps: 5 }, surface: "W_hh", view: { first, count: 5 - first } }) as unknown as Shown;

  it("say what the logarithmic axis cannot show", () => {
    const words = notesOf(pieces, shown(0), true);
    expect(words).toContain("Not finite, and not drawn: step 0.");
    expect(words).toContain("Grey dashes, steps 1–2: 0, too small");
    expect(words).toContain("Violet, step 3: negative");
    expect(notesOf(pieces.slice(0, 2), shown(0), false)).toBe("");
  });

  it("speak of what is in view, and say what is not", () => {
    const words = notesOf(pieces, shown(2), true);
    expect(words).toContain("Out of view: steps 0–1.");
    expect(words).toContain("Grey dashes, step 2: 0");
    expect(words).not.toContain("Not finite");
  });

  it("say nothing of zeros where there is no loss", () => {
    expect(notesOf(pieces.slice(2, 4), shown(0), true, false)).not.toContain("too small");
  });

  it("do not call the zero state vanishing", () => {
    const zero = [{ step: 0, lag: 0, value: 0 }];
    expect(notesOf(zero, shown(0, true), true)).toContain(
      "Grey dash at step 0: exactly 0, as the state before the first step is 0; not vanishing.",
    );
    expect(notesOf(zero, shown(0, true), true)).toContain("the axis is linear");
  });
});
