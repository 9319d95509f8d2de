/** The recorded run as the panels read it: overview columns of all batches, and any one batch's snapshot. */

import { bisectLeft, bisectRight } from "d3-array";
import { MEASURES, type Measure } from "./contract";
import { growingColumn } from "./growing_column";
import { type Chunk, DIVERGED, type Snapshot } from "./protocol";

export interface Run {
  readonly length: number;
  append(chunk: Chunk): void;
  /** Batch number of every recorded batch, ascending. */
  batches(): Int32Array;
  /** Height of the tallest bar of every recorded batch. */
  maxima(measure: Measure): Float32Array;
  diverged(index: number): boolean;
  snapshot(index: number): Snapshot;
  /** Index of the recorded batch that is nearest to a batch number; -1 if nothing is recorded. */
  nearest(batch: number): number;
}

export function createRun(): Run {
  const chunks: Chunk[] = [];
  /** Index of each chunk's first batch. */
  const firsts: number[] = [];
  const batches = growingColumn((capacity) => new Int32Array(capacity));
  const flags = growingColumn((capacity) => new Int32Array(capacity));
  const maxima = new Map(
    MEASURES.map((measure) => [measure, growingColumn((capacity) => new Float32Array(capacity))] as const),
  );
  let length = 0;

  return {
    get length() {
      return length;
    },
    append(chunk) {
      // Read every column before anything is kept, so that a bad chunk leaves the run as it was.
      const heights = MEASURES.map((measure) => chunk.max(measure));
      chunks.push(chunk);
      firsts.push(length);
      batches.append(chunk.batch);
      flags.append(chunk.flags);
      MEASURES.forEach((measure, index) => {
        maxima.get(measure)?.append(heights[index]);
      });
      length += chunk.count;
    },
    batches: () => batches.values(),
    maxima: (measure) => maxima.get(measure)?.values() ?? new Float32Array(),
    diverged: (index) => (flags.values()[index] & DIVERGED) !== 0,
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
