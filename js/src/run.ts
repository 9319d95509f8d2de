/** The recorded run as the panels read it: a few numbers of every batch, and the details of those that are held. */

import { bisectLeft } from "d3-array";
import { MEASURES, type Measure, type Quantity } from "./contract";
import { createDetails, type Details } from "./details";
import { growingColumn } from "./growing_column";
import { CLIPPED, DIVERGED, type OverviewChunk } from "./protocol";
import { createCounter, createSeries, type Series } from "./series";

type Floats = Float32Array<ArrayBuffer>;

export interface Run {
  readonly length: number;
  readonly details: Details;
  /** Appends a chunk's batches, without the first ones if the run has them already. */
  append(chunk: OverviewChunk, without?: number): void;
  /** Batch number of every recorded batch, ascending. */
  batches(): Int32Array;
  /** A quantity of every recorded batch; of those that have measures, in the measure asked for. */
  series(quantity: Quantity, measure: Measure): Series;
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

/** Names the column that holds a quantity. */
const columnName = (quantity: Quantity, measure: Measure) =>
  quantity === "max_gradient" || quantity === "mean_gradient" ? `${quantity}:${measure}` : quantity;

/** One number per batch of everything that the overview can draw; throws if the chunk lacks a column. */
function columnsOf(chunk: OverviewChunk): [name: string, values: Floats][] {
  return [
    ...MEASURES.flatMap((measure): [string, Floats][] => [
      [columnName("max_gradient", measure), chunk.max(measure)],
      [columnName("mean_gradient", measure), chunk.mean(measure)],
    ]),
    ["grad_norm", chunk.gradNorm],
    ["update_norm", chunk.updateNorm],
    ["loss", chunk.loss],
    ["accuracy", chunk.accuracy],
    ["horizon_length", chunk.horizonLength],
  ];
}

export function createRun(details: Details = createDetails()): Run {
  const integers = () => growingColumn((capacity) => new Int32Array(capacity));
  const [batches, starts, stops, flags, diverged] = [integers(), integers(), integers(), integers(), integers()];
  const columns = new Map<string, { append(values: Floats): void; series: Series }>();
  let length = 0;

  function column(name: string) {
    let found = columns.get(name);
    if (!found) {
      const grown = growingColumn((capacity) => new Float32Array(capacity));
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
      // Read every column before anything is kept, so that a bad chunk leaves the run as it was.
      const read = columnsOf(chunk);
      batches.append(chunk.batch.subarray(without));
      starts.append(chunk.start.subarray(without));
      stops.append(chunk.stop.subarray(without));
      flags.append(chunk.flags.subarray(without));
      for (const [name, values] of read) column(name).append(values.subarray(without));
      for (let row = without; row < chunk.count; row += 1) {
        if (chunk.flags[row] & DIVERGED) diverged.append(Int32Array.of(length + row - without));
      }
      length += chunk.count - without;
    },
    batches: () => batches.values(),
    series: (quantity, measure) => column(columnName(quantity, measure)).series,
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
