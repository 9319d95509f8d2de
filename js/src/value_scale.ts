/** The vertical scale of the overview's bars: linear from zero, or logarithmic down to the smallest value there is. */

import { scaleLinear, scaleLog } from "d3-scale";

export interface ValueScale {
  /** Where a value is drawn. What the axis cannot show stands on its base. */
  y(value: number): number;
  ticks: number[];
}

/** The smallest value still has a bar: the logarithmic axis begins at this part of it. */
const BELOW_LOWEST = 0.7;
const FEW_TICKS = 4;

export function linearScale(most: number, base: number, top: number): ValueScale {
  const scale = scaleLinear([0, most > 0 ? most : 1], [base, top]);
  return { y: (value) => (Number.isFinite(value) ? scale(value) : base), ticks: scale.ticks(3) };
}

/** `least` and `most` are the smallest and largest values above zero, or NaN if there are none. */
export function logScale(least: number, most: number, base: number, top: number): ValueScale {
  const domain = least > 0 ? [BELOW_LOWEST * least, Math.max(most, 1.5 * least)] : [0.1, 1];
  const scale = scaleLog(domain, [base, top]);
  const wholePowers = scale.ticks(FEW_TICKS).filter((value) => Number.isInteger(Math.log10(value)));
  const every = Math.ceil(wholePowers.length / FEW_TICKS);
  const ticks = wholePowers.filter((_, index) => (wholePowers.length - 1 - index) % every === 0);
  return {
    y: (value) => (value > 0 && Number.isFinite(value) ? scale(value) : base),
    ticks: ticks.length > 1 ? ticks : scaleLinear(domain, [base, top]).ticks(3),
  };
}
