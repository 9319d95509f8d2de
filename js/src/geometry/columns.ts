/** The horizontal places that panels 2, 3 and 4 share, so that a step's column is the same pixels in each. */

export const LEFT = 72;
export const RIGHT = 12;
/** Wider columns would only stretch short windows. */
const WIDEST = 72;
/** Columns at least this wide are all equally wide. Narrower ones may differ by a pixel, or too much room is lost. */
const UNIFORM = 4;

export interface Columns {
  /** The first step in view, and how many are. */
  first: number;
  count: number;
  /** Width of one step's column: whole pixels if it is 4 or more. */
  width: number;
  left: number;
  right: number;
  /** Whole pixels, also for steps that are out of view. */
  x(step: number): number;
  center(step: number): number;
  /** Bars leave a gap between columns, and are never thinner than a pixel. */
  barX(step: number): number;
  barWidth(step: number): number;
  has(step: number): boolean;
  /** The step under a horizontal position, or null outside the columns. */
  stepAt(x: number): number | null;
}

export function createColumns(total: number, count: number, first = 0): Columns {
  const room = Math.max(1, total - LEFT - RIGHT);
  const exact = room / Math.max(1, count);
  const width = exact >= UNIFORM ? Math.min(WIDEST, Math.floor(exact)) : exact;
  const gap = width >= 32 ? 4 : width >= 12 ? 2 : width >= 4 ? 1 : 0;
  // The summand keeps a product that is whole, but for rounding, from falling a pixel short.
  const x = (step: number) => LEFT + Math.floor((step - first) * width + 1e-6);
  const has = (step: number) => step >= first && step < first + count;
  return {
    first,
    count,
    width,
    left: LEFT,
    right: x(first + count),
    x,
    center: (step) => x(step) + width / 2,
    barX: (step) => x(step) + gap / 2,
    barWidth: (step) => Math.max(1, x(step + 1) - x(step) - gap),
    has,
    stepAt(position) {
      let step = first + Math.floor((position - LEFT) / width);
      if (x(step + 1) <= position) step += 1;
      return has(step) ? step : null;
    },
  };
}
