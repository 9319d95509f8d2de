/** Logarithmic axes that reach down to the smallest number there is. */

/** Least and largest size of what is neither zero nor infinite; null if there is nothing of the kind. */
export function sizeExtent(values: ArrayLike<number>): [least: number, most: number] | null {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let index = 0; index < values.length; index += 1) {
    const size = Math.abs(values[index]);
    if (size > 0 && size < Number.POSITIVE_INFINITY) {
      if (size < least) least = size;
      if (size > most) most = size;
    }
  }
  return most > 0 ? [least, most] : null;
}

/** Of small plots. Fewer powers of ten would exaggerate small differences, more would hide where a gradient is lost. */
const [FEWEST, MOST] = [2, 6];

/** How many powers of ten below the largest size a small plot shows: as many as are spanned, within bounds. */
export function shownDecades(extent: [least: number, most: number] | null): number {
  // The summand keeps a power of ten that is whole, but for rounding, from counting twice.
  const spanned = extent ? Math.ceil(Math.log10(extent[1] / extent[0]) - 1e-6) : 0;
  return Math.max(FEWEST, Math.min(MOST, spanned));
}

/** Room that the smallest value keeps above the end of the axis, so that it is seen, in decades. */
const MARGIN = 0.15;

/** From a power of ten a little below the least size, up to the largest. */
export const logDomain = ([least, most]: [number, number]): [number, number] => [
  10 ** Math.floor(Math.log10(least) - MARGIN),
  most,
];

/** Powers of ten, evenly spaced, no more than `count`; over a short stretch also 2 and 5 times these. */
export function logTicks([low, high]: [number, number], count: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  if (last - first < 1) {
    const fine = [first - 1, first].flatMap((exponent) => [1, 2, 5].map((digit) => Number(`${digit}e${exponent}`)));
    return fine.filter((tick) => tick >= low && tick <= high);
  }
  const every = [1, 2, 5, 10, 20, 50].find((step) => (last - first) / step < count) ?? 100;
  const exponents = Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => last - index * every);
  return exponents.map((exponent) => Number(`1e${exponent}`));
}
