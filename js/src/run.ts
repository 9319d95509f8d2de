/** The recorded run as the panels read it: one number per batch of every quantity, and any one batch's snapshot. */

import { bisectLeft, bisectRight } from "d3-array";
import { MEASURES, type Measure, type Quantity } from "./contract";
import { growingColumn } from "./growing_column";
import { type Chunk, CLIPPED, DIVERGED, type Snapshot } from "./protocol";
import { createCounter, createSeries, type Series } from "./series";

type Floats = Float32Array<ArrayBuffer>;

export interface Run {
  readonly length: number;
  append(chunk: Chunk): void;
  /** Batch number of every recorded batch, ascending. */
  batches(): Int32Array;
  /** A quantity of every recorded batch; of those that have measures, in the measure asked for. */
  series(quantity: Quantity, measure: Measure): Series;
  diverged(index: number): boolean;
  /** Indices of all batches that diverged. */
  divergedBatches(): Int32Array;
  /** How many batches in `[from, to)` were clipped. */
  countClipped(from: number, to: number): number;
  snapshot(index: number): Snapshot;
  /** Index of the recorded batch that is nearest to a batch number; -1 if nothing is recorded. */
  nearest(batch: number): number;
}

/** Names the column that holds a quantity. */
const columnName = (quantity: Quantity, measure: Measure) =>
  quantity === "max_gradient" || quantity === "mean_gradient" ? `${quantity}:${measure}` : quantity;

/** One number per batch of everything that the overview can draw; throws if the chunk lacks a column. */
function columnsOf(chunk: Chunk): [name: string, values: Floats][] {
  return [
    ...MEASURES.flatMap((measure): [string, Floats][] => [
      [columnName("max_gradient", measure), chunk.max(measure)],
      [columnName("mean_gradient", measure), chunk.mean(measure)],
    ]),
    ["grad_norm", chunk.gradNorm],
    ["update_norm", chunk.updateNorm],
    ["loss", meanPerBatch(chunk, (at) => chunk.loss[at])],
    ["accuracy", meanPerBatch(chunk, (at) => (chunk.target[at] === chunk.prediction[at] ? 1 : 0))],
    ["horizon_length", chunk.horizonLength],
  ];
}

function meanPerBatch({ count, steps }: Chunk, value: (at: number) => number): Floats {
  const means = new Float32Array(count);
  for (let row = 0; row < count; row += 1) {
    let sum = 0;
    for (let at = row * steps; at < (row + 1) * steps; at += 1) sum += value(at);
    means[row] = sum / steps;
  }
  return means;
}

export function createRun(): Run {
  const chunks: Chunk[] = [];
  /** Index of each chunk's first batch. */
  const firsts: number[] = [];
  const batches = growingColumn((capacity) => new Int32Array(capacity));
  const flags = growingColumn((capacity) => new Int32Array(capacity));
  const diverged = growingColumn((capacity) => new Int32Array(capacity));
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
    append(chunk) {
      // Read every column before anything is kept, so that a bad chunk leaves the run as it was.
      const read = columnsOf(chunk);
      chunks.push(chunk);
      firsts.push(length);
      batches.append(chunk.batch);
      flags.append(chunk.flags);
      for (const [name, values] of read) column(name).append(values);
      chunk.flags.forEach((flag, row) => {
        if (flag & DIVERGED) diverged.append(Int32Array.of(length + row));
      });
      length += chunk.count;
    },
    batches: () => batches.values(),
    series: (quantity, measure) => column(columnName(quantity, measure)).series,
    diverged: (index) => (flags.values()[index] & DIVERGED) !== 0,
    divergedBatches: () => diverged.values(),
    countClipped: createCounter(
      () => flags.values(),
      (flag) => (flag & CLIPPED) !== 0,
    ),
    snapshot(index) {
      const chunk = bisectRight(firsts, index) - 1;
      return chunks[chunk].snapshot(index - firsts[chunk]);
    },
    nearest(batch) {
      const numbers = batches.values();
      const right = bisectLeft(numbers, batch);
      if (right === 0) return length > 0 ? 0 : -1;
      if (right === length) return length - 1;
      return numbers[right] - batch < batch - numbers[right - 1] ? right : right - 1;
    },
  };
}
