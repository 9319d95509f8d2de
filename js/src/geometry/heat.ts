/** The cells of the heat map: which piece each of them shows, when there may be more pieces than pixels. */

import { indexOf, type Lags, lagsOf } from "../protocol/lags";
import type { Columns } from "./columns";

/** What a row of the heat map stands for: the step whose loss sent, or how many steps later it lies. */
export type Rows = "loss" | "lag";

/** Cells along one side: the bin that each of them falls into, and the pixels that each bin covers. */
export interface Bins {
  count: number;
  of: Int32Array;
  edges: Int32Array;
}

/** One bin for each cell, or one for each pixel if there are more cells. */
export function binCells(cells: number, pixels: number): Bins {
  const count = Math.min(cells, pixels);
  return {
    count,
    of: Int32Array.from({ length: cells }, (_, cell) => Math.floor((cell * count) / cells)),
    edges: Int32Array.from({ length: count + 1 }, (_, bin) => Math.round((bin * pixels) / count)),
  };
}

/** The same for the steps in view, at the pixels that the other panels give them; `ratio` device pixels to a pixel. */
export function binColumns(columns: Columns, ratio: number): Bins {
  const pixels = Math.round((columns.right - columns.left) * ratio);
  if (columns.count > pixels) return binCells(columns.count, pixels);
  const edge = (index: number) => Math.round((columns.x(columns.first + index) - columns.left) * ratio);
  if (columns.width < 1) return binCells(columns.count, pixels);
  return {
    count: columns.count,
    of: Int32Array.from({ length: columns.count }, (_, index) => index),
    edges: Int32Array.from({ length: columns.count + 1 }, (_, index) => edge(index)),
  };
}

export interface RowRange {
  first: number;
  count: number;
}

/** The rows that hold a piece of the steps in view. */
export function rowsInView(rows: Rows, steps: number, lags: Lags, { first, count }: RowRange): RowRange {
  const [start, stop] = [lagsOf(first, steps, lags), lagsOf(first + count - 1, steps, lags)];
  if (rows === "lag") return { first: stop.first, count: start.end - stop.first };
  const from = first + start.first;
  return { first: from, count: first + count - 1 + stop.end - from };
}

/**
 * At `row * columns + column`: index in `pieces` of the largest piece that falls there; −1 if none does. Steps that have
 * no loss have no pieces.
 */
export function largestPieces(
  pieces: ArrayLike<number>,
  steps: number,
  lags: Lags,
  rows: Rows,
  view: RowRange,
  columnBins: Bins,
  rowBins: Bins,
  sends: (loss: number) => boolean = () => true,
): Int32Array {
  const range = rowsInView(rows, steps, lags, view);
  const largest = new Int32Array(columnBins.count * rowBins.count).fill(-1);
  for (let index = 0; index < view.count; index += 1) {
    const step = view.first + index;
    const column = columnBins.of[index];
    const offset = (rows === "lag" ? 0 : step) - range.first;
    const { first, end } = lagsOf(step, steps, lags);
    for (let lag = first; lag < end; lag += 1) {
      if (!sends(step + lag)) continue;
      const piece = indexOf(step, lag, lags);
      const cell = rowBins.of[offset + lag] * columnBins.count + column;
      if (largest[cell] < 0 || exceeds(pieces[piece], pieces[largest[cell]])) largest[cell] = piece;
    }
  }
  return largest;
}

/** By size. What is not finite comes first: it must not hide. */
export function exceeds(value: number, other: number): boolean {
  if (!Number.isFinite(other)) return false;
  return !Number.isFinite(value) || Math.abs(value) > Math.abs(other);
}
