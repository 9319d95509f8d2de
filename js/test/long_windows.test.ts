import { describe, expect, it } from "vitest";
import { createRandom } from "../dev/synthetic";
import { createColumns } from "../src/geometry/columns";
import { binCells, binColumns, largestPieces, type Rows, rowsInView } from "../src/geometry/heat";
import { createHeatScale, createPixelColors } from "../src/geometry/heat_scale";
import { createLadder, rungName, rungOf } from "../src/geometry/ladder";
import { logDomain, logTicks, sizeExtent } from "../src/geometry/log_axis";
import { createStack } from "../src/geometry/stack";
import type { Items, Snapshot } from "../src/protocol/chunks";
import { hasLag, indexOf, lagsOf, pieceAt, stepsOf } from "../src/protocol/lags";

/** Pieces of either sign over thirty decades, with zeros among them. */
function randomPieces(steps: number, lags: number, signed: boolean) {
  const random = createRandom(steps * 31 + lags);
  return Float32Array.from({ length: steps * lags }, (_, index) => {
    const [step, lag] = [Math.floor(index / lags), index % lags];
    if (step + lag >= steps || random() < 0.1) return 0;
    return (signed && random() < 0.5 ? -1 : 1) * 10 ** (-30 * random());
  });
}

const ladderOf = (lags: number) => createLadder({ firstLag: 0, lags });

describe("the ladder of lags", () => {
  it("leaves few lags alone", () => {
    expect(ladderOf(3).map(rungName)).toEqual(["0", "1", "2"]);
    expect(ladderOf(32)).toHaveLength(32);
  });

  it("doubles, and ends with the last lag", () => {
    expect(ladderOf(40).map(rungName)).toEqual(["0", "1", "2", "3–4", "5–8", "9–16", "17–32", "33–39"]);
    expect(ladderOf(512).at(-1)).toMatchObject({ first: 257, last: 511 });
    expect(ladderOf(34).map(rungName).at(-1)).toBe("33");
  });

  it.each([33, 34, 100, 512, 1000])("has every one of %i lags once", (lags) => {
    const ladder = ladderOf(lags);
    const all = ladder.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
    expect(all).toEqual(Array.from({ length: lags }, (_, lag) => lag));
    for (let lag = 0; lag < lags; lag += 1) {
      const { first, last } = rungOf(ladder, lag);
      expect(first <= lag && lag <= last).toBe(true);
    }
  });
});

describe.each([false, true])("grouped stacks (signed: %s)", (signed) => {
  const [steps, lags] = [60, 50];
  const pieces = randomPieces(steps, lags, signed);
  const total = Float32Array.from({ length: steps });
  const items: Items = { firstLag: 0, lags, pieces, total, beyond: total, bound: null };
  const snapshot = { steps } as Snapshot;
  const ladder = ladderOf(lags);
  const stack = createStack(snapshot, items, ladder);

  it("have parts that add up to the pieces of their rung", () => {
    for (let step = 0; step < steps; step += 1) {
      ladder.forEach(({ first, last }, rung) => {
        const end = Math.min(last, lagsOf(step, steps, items).end - 1);
        const group = first > end ? [] : Array.from(pieces.subarray(step * lags + first, step * lags + end + 1));
        const parts = stack.parts.filter((part) => part.step === step && part.rung === rung);
        const drawn = parts.reduce((sum, { low, high }) => sum + (high <= 0 && low < 0 ? low - high : high - low), 0);
        expect(drawn).toBeCloseTo(
          group.reduce((sum, value) => sum + value, 0),
          10,
        );
      });
    }
  });

  it("are as tall as stacks of single pieces, and find the same pieces", () => {
    const singles = Array.from({ length: lags }, (_, lag) => ({ first: lag, last: lag, shade: lag }));
    const separate = createStack(snapshot, items, singles);
    expect(stack.extent).toEqual(separate.extent);
    for (const step of [0, 17, 59]) {
      for (const value of [0.05, 0.4, 1.2, -0.3]) {
        expect(stack.find(step, value, 0)).toEqual(separate.find(step, value, 0));
      }
    }
  });
});

it.each([
  [9, 0, 4],
  [9, -3, 7],
  [9, -3, 4],
  [3, -8, 17],
])(
  "of %i steps, lags from %i, %i of them: steps have the losses that reach them, and no other",
  (steps, firstLag, lags) => {
    const range = { firstLag, lags };
    const received = Array.from({ length: steps }, (_, step) => {
      const { first, end } = lagsOf(step, steps, range);
      return Array.from({ length: end - first }, (_, index) => ({ step, lag: first + index }));
    }).flat();
    const sent = Array.from({ length: steps }, (_, loss) => {
      const { first, end } = stepsOf(loss, steps, range);
      return Array.from({ length: end - first }, (_, index) => ({ step: first + index, lag: loss - first - index }));
    }).flat();
    const all = Array.from({ length: steps * lags }, (_, index) => pieceAt(index, range));
    const inside = all.filter(({ step, lag }) => step + lag >= 0 && step + lag < steps);
    expect(received).toEqual(inside);
    expect(sent.toSorted((a, b) => a.step - b.step || a.lag - b.lag)).toEqual(inside);
    all.forEach(({ step, lag }, index) => {
      expect(indexOf(step, lag, range)).toBe(index);
      expect(hasLag(lag, lagsOf(step, steps, range))).toBe(
        inside.some((piece) => piece.step === step && piece.lag === lag),
      );
    });
  },
);

describe("cells of the heat map", () => {
  it.each([0, -15, -39])("are the largest pieces there, whatever is zoomed (first lag %i)", (firstLag) => {
    const [steps, lags] = [90, 40];
    const range = { firstLag, lags };
    const pieces = randomPieces(steps, lags, true);
    for (const rows of ["loss", "lag"] satisfies Rows[]) {
      for (const view of [
        { first: 0, count: 90 },
        { first: 20, count: 33 },
        { first: 70, count: 20 },
      ]) {
        const seen = rowsInView(rows, steps, range, view);
        const [columnBins, rowBins] = [binCells(view.count, 25), binCells(seen.count, 16)];
        const found = largestPieces(pieces, steps, range, rows, view, columnBins, rowBins);
        const best = new Float64Array(found.length).fill(-1);
        for (let step = view.first; step < view.first + view.count; step += 1) {
          for (let lag = firstLag; lag < firstLag + lags; lag += 1) {
            if (step + lag < 0 || step + lag >= steps) continue;
            const row = (rows === "lag" ? lag : step + lag) - seen.first;
            expect(row >= 0 && row < seen.count).toBe(true);
            const cell = rowBins.of[row] * columnBins.count + columnBins.of[step - view.first];
            best[cell] = Math.max(best[cell], Math.abs(pieces[step * lags + lag - firstLag]));
          }
        }
        expect(Array.from(found, (piece) => (piece < 0 ? -1 : Math.abs(pieces[piece])))).toEqual(Array.from(best));
      }
    }
  });

  it("never hide what is not finite", () => {
    const pieces = Float32Array.of(5, Number.NaN, 7, 9);
    const one = binCells(4, 1);
    const found = largestPieces(
      pieces,
      4,
      { firstLag: 0, lags: 1 },
      "lag",
      { first: 0, count: 4 },
      one,
      binCells(1, 1),
    );
    expect(Array.from(found)).toEqual([1]);
  });

  it("cover all their pixels, each once", () => {
    expect(Array.from(binCells(3, 10).edges)).toEqual([0, 3, 7, 10]);
    expect(binCells(1000, 10)).toMatchObject({ count: 10 });
  });

  it.each([
    [600, 25, 1],
    [1000, 512, 1],
    [1000, 512, 2],
    [600, 1500, 1],
  ])("stand at the columns of the other panels: %i px, %i steps, ratio %i", (width, count, ratio) => {
    const columns = createColumns(width, count);
    const { edges, of } = binColumns(columns, ratio);
    for (let step = 0; step < count; step += 1) {
      expect(Math.floor(edges[of[step]] / ratio) + columns.left).toBe(columns.x(step));
    }
    expect(edges.at(-1)).toBe((columns.right - columns.left) * ratio);
  });
});

describe("the colour scale", () => {
  it("is ordered, from the smallest size to the largest", () => {
    const scale = createHeatScale([1e-33, 0.1]);
    const sizes = [1e-33, 1e-20, 1e-9, 1e-3, 0.1];
    const places = sizes.map((size) => scale.intensity(size));
    expect([places[0], places[4]]).toEqual([0, 1]);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it("takes a batch whose pieces are all of one size", () => {
    expect(createHeatScale([2, 2]).intensity(2)).toBe(1);
  });

  it("tells zero, both signs and what is not finite apart", () => {
    const color = createPixelColors(createHeatScale([1e-9, 1]), "light", true);
    const colors = [0, Number.NaN, 1, -1, 1e-9, -1e-9].map(color);
    expect(new Set(colors).size).toBe(6);
    expect(color(Number.POSITIVE_INFINITY)).toBe(color(Number.NaN));
  });
});

describe("logarithmic axes", () => {
  it("reach below the smallest size, and leave zeros out of it", () => {
    expect(sizeExtent([0, -1e-40, 3, Number.NaN, Number.NEGATIVE_INFINITY])).toEqual([1e-40, 3]);
    expect(sizeExtent([0, Number.NaN])).toBeNull();
    for (const least of [1e-40, 1.5e-9, 1e-3, 0.7]) {
      const [low] = logDomain([least, 1]);
      expect(low).toBeLessThan(least);
      expect(low).toBeGreaterThan(least / 100);
    }
  });

  it.each([
    [1e-3, 0.5, [0.1, 0.01, 0.001]],
    [1e-33, 0.07, [1e-2, 1e-12, 1e-22, 1e-32]],
    [0.3, 0.8, [0.5]],
    [0.1, 0.8, [0.1, 0.2, 0.5]],
  ])("from %f to %f have ticks at %j", (low, high, ticks) => {
    expect(logTicks([low, high], 5)).toEqual(ticks);
  });
});
