/** The vertical scale of the overview's bars: linear from zero, or logarithmic down to the smallest value there is. */

import type { Series } from "../state/series";
import { scaleLinear, scaleLog } from "./scales";

export interface ValueScale {
  /** Where a value is drawn. What the axis cannot show stands on its base. */
  y(value: number): number;
  ticks: number[];
}

/** The smallest value still has a bar: the logarithmic axis begins at this part of it. */
const BELOW_LOWEST = 0.7;
const TICKS = 3;
/** A level at the top of the scale stays below its edge by this factor. */
const LEVEL_ROOM = 1.1;
/** Ticks of a logarithmic axis are at least this many pixels apart. */
const TICK_DISTANCE = 16;

/** `whole`: only whole numbers are ticks, and 1 is one of them: 0 alone would be no scale. */
export function linearScale(most: number, base: number, top: number, whole = false): ValueScale {
  const scale = scaleLinear([0, most > (whole ? 1 : 0) ? most : 1], [base, top]);
  return {
    y: (value) => (Number.isFinite(value) ? scale(value) : base),
    ticks: scale.ticks(TICKS).filter((tick) => !whole || Number.isInteger(tick)),
  };
}

/** What the powers of ten are multiplied with for ticks: the first that leaves ticks their distance. */
const FACTORS = [
  [1, 1.5, 2, 3, 4, 5, 7],
  [1, 2, 5],
  [1, 3],
];

/** `least` and `most` are the smallest and largest values above zero; if there are none, anything else. */
export function logScale(least: number, most: number, base: number, top: number): ValueScale {
  const [low, high] =
    least > 0 && Number.isFinite(least) ? [BELOW_LOWEST * least, Math.max(most, 1.5 * least)] : [0.1, 1];
  const scale = scaleLog([low, high], [base, top]);
  const decade = (base - top) / Math.log10(high / low);
  const factors = FACTORS.find(([, second]) => decade * Math.log10(second) >= TICK_DISTANCE) ?? [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(high)); power >= Math.floor(Math.log10(low)); power -= 1) {
    for (const factor of factors.toReversed()) {
      const tick = Number(`${factor}e${power}`);
      const last = ticks.at(-1);
      const clear = last === undefined || scale(tick) - scale(last) >= TICK_DISTANCE;
      if (tick >= low && tick <= high && clear) ticks.push(tick);
    }
  }
  // A median may lie between zero and the smallest value above it.
  return { y: (value) => (value > low && Number.isFinite(value) ? scale(value) : base), ticks };
}

/** The scale that shows a stretch of a series, and a level to compare it with. */
export function scaleOf(
  series: Series,
  from: number,
  to: number,
  { log, whole, level = null }: { log: boolean; whole: boolean; level?: number | null },
  base: number,
  top: number,
): ValueScale {
  const at = (index: number) => (index < 0 ? Number.NaN : series.values()[index]);
  // A level that everything stays below or above is still seen.
  const most = Math.max(at(series.highest(from, to)), level === null ? 0 : LEVEL_ROOM * level);
  const least = at(series.lowestPositive(from, to));
  if (log) return logScale(level && least > level ? level : least, most, base, top);
  return linearScale(most, base, top, whole);
}
