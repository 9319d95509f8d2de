/**
 * Lays out the bars of a stretch of the run: some pixels for each batch, or several batches to each pixel column.
 * Columns begin at whole pixels, and at multiples of the batches that they hold, so that panning moves a picture and
 * does not make a new one.
 */

import type { Series } from "../state/series";
import type { Range } from "./viewport";

/** A few bars stay bars and do not become blocks. */
export const WIDEST = 12;
/** Bars of at least this many pixels have the same width each. */
const EVEN = 3;
/** A whole run leaves up to this part of the width empty, and so keeps its columns while it grows. */
const SPARE = 0.05;

export interface BarLayout {
  columns: number;
  /** Batches that share one pixel column; 1 while every bar has its own. Need not be whole. */
  perColumn: number;
  /** Columns of the run before the first one: a column keeps its place in the run while the picture moves. */
  skipped: number;
  /** First batch of a column; that of the column after the last is the end of the stretch. */
  first(column: number): number;
  left(column: number): number;
  right(column: number): number;
  /** Column that draws a batch, or null if the stretch does not show it. */
  columnOf(index: number): number | null;
  /** Column under a horizontal offset, or null outside the columns. */
  columnAt(offset: number): number | null;
  /** Position in the run, with its fraction, at a horizontal offset. */
  positionAt(offset: number): number;
  offsetOf(position: number): number;
}

/** Lays out `window` of a run of `length` batches, or all of it, on `width` pixels. */
export function layOutBars(length: number, window: Range | null, width: number): BarLayout {
  const room = Math.max(1, Math.floor(width));
  const perPixel = (window ? window.end - window.start : roomy(length, room)) / room;
  return perPixel > 1 ? shareColumns(length, window, room, perPixel) : ownColumns(length, window, 1 / perPixel);
}

/** As many batches as the layout of a whole run is made for. */
function roomy(length: number, room: number): number {
  const exact = room / Math.max(1, length);
  if (exact >= EVEN) return room / Math.min(WIDEST, Math.floor(exact));
  return Math.ceil((1 + SPARE) ** Math.ceil(Math.log(length) / Math.log(1 + SPARE)) - 1e-9);
}

function ownColumns(length: number, window: Range | null, columnWidth: number): BarLayout {
  const count = Math.min(length, window ? Math.floor(window.end - window.start + 1e-9) : length);
  // A window at the end of the run shows the newest batch, also if it does not hold a whole number of batches.
  const start = !window || window.end >= length ? length - count : Math.min(length - count, Math.round(window.start));
  const edge = (column: number) => Math.round(column * columnWidth);
  return {
    columns: count,
    perColumn: 1,
    skipped: start,
    first: (column) => start + column,
    left: edge,
    right: (column) => edge(column + 1),
    columnOf: (index) => within(index - start, count),
    columnAt: (offset) => within(Math.floor((Math.floor(offset) + 0.5 - 1e-6) / columnWidth), count),
    positionAt: (offset) => start + offset / columnWidth,
    offsetOf: (position) => (position - start) * columnWidth,
  };
}

function shareColumns(length: number, window: Range | null, room: number, perColumn: number): BarLayout {
  const total = length > 0 ? Math.floor((length - 1) / perColumn) + 1 : 0;
  const skipped = window ? Math.min(Math.max(0, total - room), Math.round(window.start / perColumn)) : 0;
  const columns = Math.min(room, total - skipped);
  return {
    columns,
    perColumn,
    skipped,
    first: (column) => Math.min(length, Math.ceil((skipped + column) * perColumn)),
    left: (column) => column,
    right: (column) => column + 1,
    columnOf: (index) => within(Math.floor(index / perColumn) - skipped, columns),
    columnAt: (offset) => within(Math.floor(offset), columns),
    positionAt: (offset) => (skipped + offset) * perColumn,
    offsetOf: (position) => position / perColumn - skipped,
  };
}

const within = (column: number, columns: number) => (column >= 0 && column < columns ? column : null);

/** One number of each column, of the batches `[from, to)` that it stands for. */
export type PerColumn = (series: Series, layout: BarLayout) => Float64Array;

/** Index of the highest bar of each column; a column without a finite bar gives its first one. */
export const createHighestPerColumn = () =>
  createPerColumn((series, from, to) => {
    const best = series.highest(from, to);
    return best < 0 ? from : best;
  });

/** Median of each column. */
export const createMedianPerColumn = () => createPerColumn((series, from, to) => series.median(from, to));

/** Works out what is new: the columns of a long run are as before, but for the last, at nearly every drawing. */
function createPerColumn(numberOf: (series: Series, from: number, to: number) => number): PerColumn {
  let held: { series: Series; perColumn: number; skipped: number; numbers: Float64Array } | null = null;
  return (series, layout) => {
    const { columns, perColumn, skipped } = layout;
    const before = held?.series === series && held.perColumn === perColumn ? held : null;
    const complete = before ? before.numbers.length - 1 : 0;
    const numbers = new Float64Array(columns);
    for (let column = 0; column < columns; column += 1) {
      const earlier = before ? column + skipped - before.skipped : -1;
      numbers[column] =
        before && earlier >= 0 && earlier < complete
          ? before.numbers[earlier]
          : numberOf(series, layout.first(column), layout.first(column + 1));
    }
    held = { series, perColumn, skipped, numbers };
    return numbers;
  };
}
