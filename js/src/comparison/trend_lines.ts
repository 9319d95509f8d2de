/** Lines over training, of one quantity of several runs: what is drawn at which place. Pure. */

import { bisectLeft } from "d3-array";
import type { Series } from "../state/series";

/** A point every so many pixels; what lies between is told by its median. */
const SPACING = 8;

export interface TrendPoint {
  /** Batch number, in the middle of what the point stands for. */
  batch: number;
  /** Median of the recorded batches that it stands for. */
  value: number;
}

/** The points of a line over `[0, last]` batches on `width` pixels. Places without a finite value are left out. */
export function trendPoints(
  batches: Int32Array,
  series: Pick<Series, "median" | "values">,
  last: number,
  width: number,
): TrendPoint[] {
  const bins = Math.max(1, Math.floor(width / SPACING));
  const points: TrendPoint[] = [];
  // As many as there is room for: each has its own place.
  if (batches.length <= bins) {
    const values = series.values();
    batches.forEach((batch, index) => {
      if (Number.isFinite(values[index])) points.push({ batch, value: values[index] });
    });
    return points;
  }
  let from = 0;
  for (let bin = 0; bin < bins && from < batches.length; bin += 1) {
    const to = bin === bins - 1 ? batches.length : bisectLeft(batches, ((bin + 1) * (last + 1)) / bins, from);
    if (to === from) continue;
    const value = series.median(from, to);
    if (Number.isFinite(value)) points.push({ batch: batches[(from + to - 1) >> 1], value });
    from = to;
  }
  return points;
}

/** Moves labels apart that would overlap: places in the same order, `distance` apart, between `top` and `bottom`. */
export function spreadLabels(places: readonly number[], distance: number, top: number, bottom: number): number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b] || a - b);
  const spread = [...places];
  let least = top;
  for (const index of order) {
    spread[index] = Math.max(places[index], least);
    least = spread[index] + distance;
  }
  let most = bottom;
  for (const index of order.toReversed()) {
    spread[index] = Math.min(spread[index], most);
    most = spread[index] - distance;
  }
  return spread;
}
