/** From the size of a piece to a place on the colour scale of the heat map, and from there to a colour. */

import type { Theme } from "../browser/theme";
import { colorsThrough } from "./lab";
import { logDomain } from "./log_axis";

/** From small to large: away from the page's background, so that what is large stands out. */
const SEQUENTIAL: Record<Theme, string[]> = {
  light: ["#fbf1d9", "#f7c977", "#e8804a", "#b53a5a", "#6a1a66", "#230b3f"],
  dark: ["#2c2140", "#62256b", "#a93a63", "#e3724a", "#f7be6b", "#fdf6d8"],
};
/** Negative pieces from small to large; positive ones are green. The two can be told apart by the colour-blind. */
const NEGATIVE: Record<Theme, string[]> = {
  light: ["#f1e9f5", "#c9a9d6", "#9162ab", "#5a2a7a", "#330a4a"],
  dark: ["#2f2638", "#5b3a72", "#8f61ab", "#c49ad9", "#f1dcfa"],
};
const POSITIVE: Record<Theme, string[]> = {
  light: ["#e8f3e5", "#a6d39f", "#53a35b", "#1b6e38", "#063f1c"],
  dark: ["#1f3226", "#2d5f3e", "#4a9a5c", "#93cf8e", "#def6d6"],
};

/** Beyond this many decades the upper ones get more of the scale: that is where gradients differ in effect. */
const EVEN_DECADES = 6;

export interface HeatScale {
  /** Sizes at the ends. */
  least: number;
  most: number;
  /** From 0 for the least size to 1 for the largest. */
  intensity(size: number): number;
}

/** Logarithmic, and down to the smallest size there is. */
export function createHeatScale(extent: [number, number]): HeatScale {
  const [least, most] = extent[0] < extent[1] ? extent : logDomain(extent);
  const decades = Math.log10(most / least);
  const power = decades > EVEN_DECADES ? 0.5 : 1;
  return {
    least,
    most,
    intensity: (size) => 1 - (Math.max(0, Math.log10(most / size)) / decades) ** power,
  };
}

export interface HeatColors {
  positive(intensity: number): string;
  negative(intensity: number): string;
}

export function heatColors(theme: Theme, signed: boolean): HeatColors {
  const sequential = colorsThrough(SEQUENTIAL[theme]);
  if (!signed) return { positive: sequential, negative: sequential };
  return {
    positive: colorsThrough(POSITIVE[theme]),
    negative: colorsThrough(NEGATIVE[theme]),
  };
}

/** What a cell shows instead of a size. */
export const EXACT_ZERO: Record<Theme, string> = { light: "#d3d9e0", dark: "#3f4852" };
export const NOT_FINITE: Record<Theme, string> = { light: "#d40000", dark: "#ff5a5a" };

/** How fine the table of colours is. */
const SHADES = 256;

/** Colours as pixels of a canvas, by value. */
export function createPixelColors(scale: HeatScale | null, theme: Theme, signed: boolean): (value: number) => number {
  const colors = heatColors(theme, signed);
  const table = (color: (intensity: number) => string) =>
    Uint32Array.from({ length: SHADES }, (_, shade) => pixelOf(color(shade / (SHADES - 1))));
  const [positive, negative] = [table(colors.positive), table(colors.negative)];
  const [zero, notFinite] = [pixelOf(EXACT_ZERO[theme]), pixelOf(NOT_FINITE[theme])];
  return (value) => {
    if (!Number.isFinite(value)) return notFinite;
    if (value === 0 || !scale) return zero;
    const shade = Math.round(scale.intensity(Math.abs(value)) * (SHADES - 1));
    return value < 0 ? negative[shade] : positive[shade];
  };
}

/** An opaque colour, `rgb(r, g, b)` or `#rrggbb`, as four bytes in the order that a canvas has them. */
function pixelOf(color: string): number {
  const hex = /^#(..)(..)(..)$/
    .exec(color)
    ?.slice(1)
    .map((digits) => Number.parseInt(digits, 16));
  const bytes = hex ?? color.match(/\d+(\.\d+)?/g)?.map(Number) ?? [0, 0, 0];
  return new Uint32Array(Uint8Array.of(bytes[0], bytes[1], bytes[2], 255).buffer)[0];
}
