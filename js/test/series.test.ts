import { describe, expect, it } from "vitest";
import { createRandom } from "../dev/synthetic";
import { growingColumn } from "../src/state/growing_column";
import { medianOf, SAMPLE } from "../src/state/median";
import { createPyramid, highest, lowestPositive } from "../src/state/pyramid";
import { createSeries } from "../src/state/series";

/** Values with ties, zeros, and some that are not finite. */
function noise(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const special = [0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1];
  return Float32Array.from({ length }, () =>
    random() < 0.05 ? special[Math.floor(random() * special.length)] : Math.floor(random() * 500) / 100,
  );
}

/** The first of the best, by looking at every value. */
function bestOf(values: Float32Array, from: number, to: number, counts: (value: number) => boolean, sign: number) {
  let best = -1;
  for (let index = from; index < to; index += 1) {
    if (counts(values[index]) && (best < 0 || sign * values[index] > sign * values[best])) best = index;
  }
  return best;
}

describe("the pyramid", () => {
  it("gives what looking at every value gives, however the values arrived", () => {
    const random = createRandom(11);
    for (const total of [1, 2, 15, 16, 17, 255, 256, 257, 5000]) {
      const values = noise(total, total);
      const peaks = highest();
      const floors = lowestPositive();
      for (let length = 0; length < total; ) {
        length = Math.min(total, length + 1 + Math.floor(random() * (random() < 0.5 ? 3 : 700)));
        peaks.extend(values.subarray(0, length));
        floors.extend(values.subarray(0, length));
        for (let trial = 0; trial < 12; trial += 1) {
          const from = trial === 0 ? 0 : Math.floor(random() * length);
          const to = trial === 0 ? length : from + Math.floor(random() * (length - from + 1));
          expect(peaks.best(from, to)).toBe(bestOf(values, from, to, Number.isFinite, 1));
          expect(floors.best(from, to)).toBe(
            bestOf(values, from, to, (value) => Number.isFinite(value) && value > 0, -1),
          );
        }
      }
    }
  });

  it("looks at few values, of one to append and of any stretch, however long the run", () => {
    let comparisons = 0;
    const pyramid = createPyramid(Number.isFinite, (value, than) => {
      comparisons += 1;
      return value > than;
    });
    const values = noise(1_000_001, 3);
    pyramid.extend(values.subarray(0, 1_000_000));
    comparisons = 0;
    pyramid.extend(values);
    expect(comparisons).toBeLessThan(10);
    comparisons = 0;
    pyramid.best(7, 999_983);
    expect(comparisons).toBeLessThan(2 * 16 * 6);
  });
});

describe("the median", () => {
  const exact = (values: number[]) => {
    const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };

  it("is exact for stretches up to the size of a sample", () => {
    const values = noise(4000, 8);
    for (let from = 0; from < 4000 - SAMPLE; from += 37) {
      const to = from + 1 + (from % SAMPLE);
      expect(medianOf(values, from, to)).toBeCloseTo(exact(Array.from(values.subarray(from, to))), 6);
    }
    expect(medianOf([Number.NaN], 0, 1)).toBeNaN();
    expect(medianOf([], 0, 0)).toBeNaN();
  });

  it("is near for longer ones, and reads no more for them", () => {
    const values = Float32Array.from({ length: 100_000 }, (_, index) => index);
    let reads = 0;
    const watched = new Proxy(values, {
      get(target, name) {
        reads += 1;
        return target[Number(name)];
      },
    });
    expect(Math.abs(medianOf(watched, 0, 100_000) - 50_000)).toBeLessThan(1000);
    expect(reads).toBe(SAMPLE);
  });
});

describe("a series", () => {
  it("counts what has no place on an axis, as it grows", () => {
    const column = growingColumn((capacity) => new Float32Array(capacity));
    const series = createSeries(column);
    expect([series.countZeros(0, 0), series.highest(0, 0), series.lowestPositive(0, 0)]).toEqual([0, -1, -1]);
    const values = noise(3000, 4);
    for (let at = 0; at < 3000; at += 300) {
      column.append(values.slice(at, at + 300));
      const to = at + 300;
      const seen = Array.from(values.subarray(at >> 1, to));
      expect(series.countZeros(at >> 1, to)).toBe(seen.filter((v) => v <= 0 && Number.isFinite(v)).length);
      expect(series.countNonFinite(at >> 1, to)).toBe(seen.filter((v) => !Number.isFinite(v)).length);
    }
  });
});
