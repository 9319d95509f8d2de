/** The two small plots of a hidden unit, each as one path: its bars per step, and how its pieces decay with the lag. */

import type { Units } from "../protocol/chunks";
import { shownDecades, sizeExtent } from "./log_axis";

interface PlotBox {
  width: number;
  height: number;
}

const rounded = (pixels: number) => Math.round(pixels * 10) / 10;
const finite = (value: number) => (Number.isFinite(value) ? value : 0);

export const barsOf = ({ bars, steps }: Units, unit: number) => bars.subarray(unit * steps, (unit + 1) * steps);
const profileOf = ({ profile, lags }: Units, unit: number) => profile.subarray(unit * lags, (unit + 1) * lags);

/** The tallest bar of a unit; of what is not finite nothing. */
export const tallestOf = (units: Units, unit: number) =>
  barsOf(units, unit).reduce((most, bar) => Math.max(most, finite(bar)), 0);

/** Bars of all steps, the tallest `most` as tall as the box. */
export function barsPath(units: Units, unit: number, most: number, { width, height }: PlotBox): string {
  const each = width / units.steps;
  const gap = each >= 4 ? 1 : 0;
  let path = "";
  barsOf(units, unit).forEach((bar, step) => {
    const tall = most > 0 ? rounded((finite(bar) / most) * height) : 0;
    if (tall <= 0) return;
    const [x, end] = [rounded(step * each), rounded((step + 1) * each)];
    path += `M${x},${height}v${-tall}h${rounded(Math.max(0.5, end - x - gap))}v${tall}z`;
  });
  return path;
}

/** How many powers of ten below its largest piece the profiles are drawn: enough for all of these units. */
export const profileDecades = (units: Units, some: number[]) =>
  Math.max(shownDecades(null), ...some.map((unit) => shownDecades(sizeExtent(profileOf(units, unit)))));

/**
 * The mean piece of each lag as a line, relative to the unit's largest, on a logarithmic axis. It stands as one loss
 * would among its steps: the larger the lag, the further left. It breaks where pieces are zero.
 */
export function profilePath(units: Units, unit: number, decades: number, { width, height }: PlotBox): string {
  const profile = profileOf(units, unit);
  const largest = sizeExtent(profile)?.[1];
  if (largest === undefined) return "";
  const last = Math.max(1, profile.length - 1);
  let path = "";
  let pen = "M";
  profile.forEach((size, index) => {
    if (!(size > 0) || !Number.isFinite(size)) {
      pen = "M";
      return;
    }
    const depth = Math.min(1, Math.log10(largest / size) / decades);
    path += `${pen}${rounded(width * (1 - index / last))},${rounded(depth * height)}`;
    pen = "L";
  });
  return path;
}
