/**
 * One number per recorded batch, and what the overview asks of any stretch of them: the highest, the median, how many
 * have no place on an axis. Indices are built when a series is first drawn, and follow the run from there.
 */

import { type GrowingColumn, growingColumn } from "./growing_column";
import { medianOf } from "./median";
import { highest, lowestPositive } from "./pyramid";

type Floats = Float32Array<ArrayBuffer>;

export interface Series {
  values(): Floats;
  /** Index of the highest finite value in `[from, to)`; -1 if there is none. */
  highest(from: number, to: number): number;
  /** Index of the lowest value above zero in `[from, to)`; -1 if there is none. */
  lowestPositive(from: number, to: number): number;
  /** See `medianOf`. */
  median(from: number, to: number): number;
  /** How many values in `[from, to)` are zero, or below. */
  countZeros(from: number, to: number): number;
  /** How many values in `[from, to)` are not finite. */
  countNonFinite(from: number, to: number): number;
}

/** Counts what passes a test in any stretch: running totals, so that a count is a difference. */
export function createCounter<T extends Float32Array | Int32Array>(values: () => T, test: (value: number) => boolean) {
  const totals = growingColumn((capacity) => new Int32Array(capacity));
  totals.append(Int32Array.of(0));
  let seen = 0;
  return (from: number, to: number): number => {
    const current = values();
    if (current.length > seen) {
      let total = totals.values()[seen];
      const added = new Int32Array(current.length - seen);
      for (let index = seen; index < current.length; index += 1) {
        if (test(current[index])) total += 1;
        added[index - seen] = total;
      }
      totals.append(added);
      seen = current.length;
    }
    const sums = totals.values();
    return sums[to] - sums[from];
  };
}

export function createSeries(column: GrowingColumn<Floats>): Series {
  const peaks = highest();
  const floors = lowestPositive();
  const values = () => column.values();
  return {
    values,
    highest(from, to) {
      peaks.extend(values());
      return peaks.best(from, to);
    },
    lowestPositive(from, to) {
      floors.extend(values());
      return floors.best(from, to);
    },
    median: (from, to) => medianOf(values(), from, to),
    countZeros: createCounter(values, (value) => value <= 0 && value !== Number.NEGATIVE_INFINITY),
    countNonFinite: createCounter(values, (value) => !Number.isFinite(value)),
  };
}
