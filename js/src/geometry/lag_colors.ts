/** The colours of the lags: ordered in lightness, darkest for a step's own loss; those of earlier losses are warmer. */

import type { Theme } from "../browser/theme";
import { colorsThrough } from "./lab";
import { isEarlier, type Rung } from "./ladder";

/** On a dark page the dark end is lifted, so that it stays darkest and yet stands out from the background. */
const LATER: Record<Theme, string[]> = {
  light: ["#0b3d34", "#1d6b4a", "#4f9149", "#94b84f", "#d3d773"],
  dark: ["#2a7d5f", "#4b9c5e", "#86b85f", "#c3d46e", "#f4f0a6"],
};
const EARLIER: Record<Theme, string[]> = {
  light: ["#0b3d34", "#6e3a1c", "#a3642f", "#cf9c62", "#edd2ac"],
  dark: ["#2a7d5f", "#b0683f", "#c78858", "#dfb184", "#f6dfc4"],
};

/** Few lags keep to the dark end and do not jump over the scale. */
const FULL_RANGE = 5;

/**
 * Evenly spaced for few lags. With many, the first ones are spread further apart: there the gradient is largest and
 * most parts tall enough to be told apart.
 */
export function lagColors(lags: number, theme: Theme, earlier = false): string[] {
  const scale = colorsThrough((earlier ? EARLIER : LATER)[theme]);
  const last = Math.max(lags, FULL_RANGE) - 1;
  const spread = (last - FULL_RANGE + 1) / 40;
  const position = (lag: number) => (spread > 0 ? Math.log1p(spread * lag) / Math.log1p(spread * last) : lag / last);
  return Array.from({ length: lags }, (_, lag) => scale(position(lag)));
}

const property = (shade: number, earlier: boolean) => `--rnnbow-${earlier ? "earlier" : "lag"}-${shade}`;

export const lagColor = (rung: Rung) => `var(${property(rung.shade, isEarlier(rung))})`;

/** Puts the colours on an element as custom properties: changing the theme redraws nothing. */
export function setLagColors(root: HTMLElement, shades: number, theme: Theme) {
  for (const earlier of [false, true]) {
    lagColors(shades, theme, earlier).forEach((color, shade) => {
      root.style.setProperty(property(shade, earlier), color);
    });
  }
}
