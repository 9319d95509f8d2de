/** What the two forms of panel 3 have in common. */

import type { Extent, Shown } from "../figure/figure";
import type { Focus } from "../geometry/focus";
import type { Rung } from "../geometry/ladder";

export const TOP = 22;

/** A piece, or with a lag of null what lies beyond the recorded lags. */
export interface Place {
  step: number;
  lag: number | null;
}

export type Box = [x: number, y: number, width: number, height: number];

export interface GradientForm {
  /** Height of the plot, between its title and the axis of the steps. */
  height: number;
  /** How to read it. */
  hint: string;
  draw(shown: Shown): void;
  /** What the axis or the colours of this batch span; null: nothing. */
  extent(shown: Shown): Extent | null;
  /** Removes what was drawn, for the other form to take its place. */
  clear(): void;
  /** What lies at a point of the plot. */
  pick(x: number, y: number): Place | null;
  /** Where a piece is drawn: left, top, width and height; null if it is not in view. */
  box(step: number, lag: number): Box | null;
  /** Highlights what one loss sent, and what is pointed at. */
  light(focus: Focus): void;
  /** Lags that are drawn as one with this one. */
  rung(lag: number): Rung | null;
  /** What has to be said of this batch. */
  notes(): string[];
}
