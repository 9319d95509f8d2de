/** The recorded run as the panels read it: a few numbers of every batch, and the details of those that are held. */

import { bisectLeft } from "d3-array";
import { CLIPPED, DIVERGED, type OverviewChunk } from "../protocol/chunks";
import { createDetails, type Details } from "./details";
import { growingColumn } from "./growing_column";
import { createCounter, createSeries, type Series } from "./series";

const unknown = (count: number) => new Float32Array(count).fill(Number.NaN);

export interface Run {
  readonly length: number;
  readonly details: Details;
  /** Appends a chunk's batches, without the first ones if the run has them already. */
  append(chunk: OverviewChunk, without?: number): void;
  /** Batch number of every recorded batch, ascending. */
  batches(): Int32Array;
  /** Whether any recorded batch has a number under this name of a column. */
  has(column: string): boolean;
  /** What there is one number of for each batch, by the name of its column; NaN where a batch has none. */
  series(column: string): Series;
  /** Positions in the training data that the targets of a batch cover, from the first up to but not with the second. */
  targets(index: number): [start: number, stop: number];
  diverged(index: number): boolean;
  clipped(index: number): boolean;
  /** Indices of all batches that diverged. */
  divergedBatches(): Int32Array;
  /** How many batches in `[from, to)` were clipped. */
  countClipped(from: number, to: number): number;
  /** Index of the recorded batch that is nearest to a batch number; -1 if nothing is recorded. */
  nearest(batch: number): number;
}

export function createRun(details: Details = createDetails()): Run {
  const integers = () => growingColumn((capacity) => new Int32Array(capacity));
  const [batches, starts, stops, flags, diverged] = [integers(), integers(), integers(), integers(), integers()];
  const columns = new Map<string, { append(values: Float32Array<ArrayBuffer>): void; series: Series }>();
  /** Those of them that chunks had. */
  const known = new Set<string>();
  let length = 0;

  /** Some columns begin later than the run: surfaces are recorded from the time on at which they are chosen. */
  function column(name: string) {
    let found = columns.get(name);
    if (!found) {
      const grown = growingColumn((capacity) => new Float32Array(capacity));
      grown.append(unknown(length));
      found = { append: grown.append, series: createSeries(grown) };
      columns.set(name, found);
    }
    return found;
  }

  return {
    get length() {
      return length;
    },
    details,
    append(chunk, without = 0) {
      if (chunk.batch[without] <= (batches.values().at(-1) ?? -1)) {
        throw new Error("chunk has batches that do not come after those before it");
      }
      batches.append(chunk.batch.subarray(without));
      starts.append(chunk.start.subarray(without));
      stops.append(chunk.stop.subarray(without));
      flags.append(chunk.flags.subarray(without));
      for (const name of chunk.columns.keys()) {
        column(name);
        known.add(name);
      }
      for (const [name, { append }] of columns) {
        append(chunk.columns.get(name)?.subarray(without) ?? unknown(chunk.count - without));
      }
      for (let row = without; row < chunk.count; row += 1) {
        if (chunk.flags[row] & DIVERGED) diverged.append(Int32Array.of(length + row - without));
      }
      length += chunk.count - without;
    },
    batches: () => batches.values(),
    has: (name) => known.has(name),
    series: (name) => column(name).series,
    targets: (index) => [starts.values()[index], stops.values()[index]],
    diverged: (index) => (flags.values()[index] & DIVERGED) !== 0,
    clipped: (index) => (flags.values()[index] & CLIPPED) !== 0,
    divergedBatches: () => diverged.values(),
    countClipped: createCounter(
      () => flags.values(),
      (flag) => (flag & CLIPPED) !== 0,
    ),
    nearest(batch) {
      const numbers = batches.values();
      const right = bisectLeft(numbers, batch);
      if (right === 0) return length > 0 ? 0 : -1;
      if (right === length) return length - 1;
      return numbers[right] - batch < batch - numbers[right - 1] ? right : right - 1;
    },
  };
}
