/** The horizontal places that panels 2, 3 and 4 share, so that a step's column is the same pixels in each. */

export const LEFT = 72;
export const RIGHT = 12;
/** Wider columns would only stretch short windows. */
const WIDEST = 72;

export interface Columns {
  count: number;
  /** Width of one step's column: whole pixels, unless there are more steps than pixels. */
  width: number;
  left: number;
  right: number;
  x(step: number): number;
  center(step: number): number;
  /** Bars leave a gap between columns. */
  barX(step: number): number;
  barWidth: number;
  /** The step under a horizontal position, or null outside the columns. */
  stepAt(x: number): number | null;
}

export function createColumns(total: number, count: number): Columns {
  const room = Math.max(1, total - LEFT - RIGHT);
  const exact = room / Math.max(1, count);
  const width = exact >= 1 ? Math.min(WIDEST, Math.floor(exact)) : exact;
  const gap = width >= 32 ? 4 : width >= 12 ? 2 : width >= 4 ? 1 : 0;
  const x = (step: number) => LEFT + step * width;
  return {
    count,
    width,
    left: LEFT,
    right: x(count),
    x,
    center: (step) => x(step) + width / 2,
    barX: (step) => x(step) + gap / 2,
    barWidth: width - gap,
    stepAt(position) {
      const step = Math.floor((position - LEFT) / width);
      return step >= 0 && step < count ? step : null;
    },
  };
}
