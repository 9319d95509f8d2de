/** Lays out one bar per recorded batch: whole pixels per bar, or whole bars per pixel, so that no peak is lost. */

/** A few bars stay bars and do not become blocks. */
const WIDEST = 12;

export interface BarLayout {
  count: number;
  /** Bars that share one pixel column; 1 while every bar has its own. */
  perColumn: number;
  columns: number;
  columnWidth: number;
  columnOf(index: number): number;
  /** Column under a horizontal offset, or null outside the columns. */
  columnAt(offset: number): number | null;
}

export function layOutBars(count: number, width: number): BarLayout {
  const room = Math.max(1, Math.floor(width));
  const perColumn = Math.max(1, Math.ceil(count / room));
  const columns = Math.ceil(count / perColumn);
  const columnWidth = Math.max(1, Math.min(WIDEST, Math.floor(room / Math.max(1, count))));
  return {
    count,
    perColumn,
    columns,
    columnWidth,
    columnOf: (index) => Math.floor(index / perColumn),
    columnAt(offset) {
      const column = Math.floor(offset / columnWidth);
      return column >= 0 && column < columns ? column : null;
    },
  };
}

/** Index of the highest bar of each column; a column without a finite bar gives its first one. */
export function highestPerColumn(heights: ArrayLike<number>, layout: BarLayout): number[] {
  return Array.from({ length: layout.columns }, (_, column) => {
    const first = column * layout.perColumn;
    const end = Math.min(layout.count, first + layout.perColumn);
    let highest = first;
    for (let index = first + 1; index < end; index += 1) {
      const higher = heights[index] > heights[highest] || !Number.isFinite(heights[highest]);
      if (Number.isFinite(heights[index]) && higher) highest = index;
    }
    return highest;
  });
}
