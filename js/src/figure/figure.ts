/** What one draw is made of. Computed once by the view; every panel draws from it and from nothing else. */

import type { Theme } from "../browser/theme";
import type { Columns } from "../geometry/columns";
import type { Focus, Target } from "../geometry/focus";
import type { StepWindow } from "../geometry/step_window";
import type { Items, Snapshot } from "../protocol/chunks";
import type { Mark } from "../protocol/comparison_contract";
import type { Measure } from "../protocol/contract";
import type { Missing } from "../session/detail_requests";
import type { Place } from "../state/details";
import type { State } from "../state/store";

/** The batch that panels 2, 3 and 4 show. */
export interface Shown {
  snapshot: Snapshot;
  /** Name of the surface that is drawn, and in which measure: the chosen one, if the surface has it. */
  surface: string;
  measure: Measure;
  items: Items;
  /** All that was recorded of the batch, if that is here: it has every track. */
  recorded: Snapshot | null;
  /** Of one of an LSTM's memories the other one, by the norm, if it is there. */
  companion: { surface: string; items: Items } | null;
  /** The steps in view, and their columns. */
  view: StepWindow;
  columns: Columns;
  /** The columns that all steps would have without zoom. */
  overall: Columns;
  /** Width of the figure that all this is made for. */
  width: number;
  /** Columns are wide enough to be read without zoom. */
  ample: boolean;
  form: "bars" | "heatmap";
  theme: Theme;
  /** What the vertical axis or the colours of panel 3 span, if not what this batch needs. */
  extent: Extent | null;
}

/** The least and the largest. */
export type Extent = [least: number, most: number];

export interface Figure {
  state: State;
  width: number;
  /** Index of the selected recorded batch (the newest while following); -1 if nothing is recorded. */
  selected: number;
  /** The batch that all panels are to show; null: nothing is recorded. */
  batch: number | null;
  /** Why a part of a batch is not there. */
  why(place: Place): Missing;
  /** Index of the recorded batch that is previewed under the pointer, or null. */
  preview: number | null;
  shown: Shown | null;
  /** A piece of the batch that panel 3 is to point out. */
  mark?: Mark | null;
  /** What panels 2, 3 and 4 are to show, if the details are not there, and why. */
  pending: Pending | null;
}

export type Pending = Missing & Place;

/** How panels tell their view what the person does. */
export interface Gestures {
  preview(index: number | null): void;
  point(target: Target | null): void;
  /** Pins a loss; the same loss again unpins it, and so does null. */
  pin(loss: number | null): void;
  /** Shows another stretch of steps, in all panels that have steps. */
  zoom(view: StepWindow): void;
  /** Draws what is due at once, so that a key acts on what the key before it did. */
  settle(): void;
  /** Asks for a draw: a panel's own view of the figure has changed. */
  redraw(): void;
  /** Says a sentence to screen readers. */
  announce(sentence: string): void;
}

export interface Panel {
  /** What of a batch it shows that the other panels do not; null while it is closed. */
  wants?(batch: number, state: State): Place | null;
  update(figure: Figure): void;
  /** What its axis, or its colours, need to span for what is shown. */
  extent?(shown: Shown): Extent | null;
  /** Shows the tooltip of what is pointed at. All panels do so before any draws: placing it measures the page. */
  explain?(focus: Focus): void;
  /** Shows what is pointed at. Runs on every move of the pointer, so it must be cheap. */
  highlight?(focus: Focus): void;
}
