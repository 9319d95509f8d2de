/** The colours of the lags: ordered in lightness, darkest for a step's own loss. */

import { interpolateLab, piecewise } from "d3-interpolate";
import type { Theme } from "./theme";

/** On a dark page the dark end is lifted, so that it stays darkest and yet stands out from the background. */
const STOPS: Record<Theme, string[]> = {
  light: ["#0b3d34", "#1d6b4a", "#4f9149", "#94b84f", "#d3d773"],
  dark: ["#2a7d5f", "#4b9c5e", "#86b85f", "#c3d46e", "#f4f0a6"],
};

/** Few lags keep to the dark end and do not jump over the scale. */
const FULL_RANGE = 5;

/**
 * Evenly spaced for few lags. With many, the first ones are spread further apart: there the gradient is largest and
 * most parts tall enough to be told apart.
 */
export function lagColors(lags: number, theme: Theme): string[] {
  const scale = piecewise(interpolateLab, STOPS[theme]);
  const last = Math.max(lags, FULL_RANGE) - 1;
  const spread = (last - FULL_RANGE + 1) / 40;
  const position = (lag: number) => (spread > 0 ? Math.log1p(spread * lag) / Math.log1p(spread * last) : lag / last);
  return Array.from({ length: lags }, (_, lag) => scale(position(lag)));
}

export const lagColor = (lag: number) => `var(--rnnbow-lag-${lag})`;

/** Puts the colours on an element as custom properties: changing the theme redraws nothing. */
export function setLagColors(root: HTMLElement, lags: number, theme: Theme) {
  lagColors(lags, theme).forEach((color, lag) => {
    root.style.setProperty(`--rnnbow-lag-${lag}`, color);
  });
}
