/** What kernel and browser say to each other of a comparison: see docs/architecture.md. */

import type { DetailsAnswer, Form, Frame, FromKernel, Measure, Quantity, Stream, Traits, Whole } from "./contract";

/** Vertical scale of panel 3 in a comparison: one for all sides, or each its own. */
export type Scale = "shared" | "own";

/** What a comparison holds of one side: the traits of a widget that has only this run. */
export type SideState = Pick<
  Traits,
  | "_labels"
  | "_info"
  | "_run"
  | "_status"
  | "_samples"
  | "_cues"
  | "_choice"
  | "learning_rate"
  | "horizon"
  | "record_every"
>;

export interface SideDescription {
  name: string;
  /** Settings in which it differs from others, in words. */
  settings: string;
  /** Number of parameters, if it is known. */
  weights: number | null;
}

/** What differs at the selected batch, in words; "" while nothing can be said. */
export interface Contrast {
  sentence: string;
  /** Of arrays that somebody worked out: the piece in which they first differ from what they should be. */
  mark?: Mark | null;
}

/** A piece of a batch that is pointed out. */
export interface Mark {
  batch: number;
  step: number;
  lag: number;
}

export interface ComparisonTraits {
  selected: number | null;
  measure: Measure;
  form: Form;
  quantity: Quantity;
  log_scale: boolean;
  scale: Scale;
  stream: Stream;
  playing: boolean;
  _sides: { sides: SideDescription[]; remarks: string[] };
  _contrast: Contrast;
  _side_0: SideState | null;
  _side_1: SideState | null;
  _side_2: SideState | null;
  _side_3: SideState | null;
}

/** The news of one side. */
export type SideFrame = Omit<Frame, "kind" | "client" | "seq" | "last" | "playing">;

/** The news of all sides, at one batch; the chunks of the first side come first. */
export interface ComparisonFrame extends Pick<Frame, "kind" | "client" | "seq" | "last" | "playing"> {
  sides: SideFrame[];
  /** How many of the chunks are of each side. */
  chunks: number[];
  contrast?: Contrast;
}

export type FromComparison =
  | ComparisonFrame
  | (Whole & { side: number })
  | (DetailsAnswer & { side: number })
  | Exclude<FromKernel, Frame | Whole | DetailsAnswer>;
