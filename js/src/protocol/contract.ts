/** What kernel and browser say to each other; the twin of docs/architecture.md. */

export const MEASURES = ["norm", "mean_abs", "share"] as const;
export type Measure = (typeof MEASURES)[number];

/** How panel 3 is drawn; auto: by the width of its columns. */
export type Form = "auto" | "bars" | "heatmap";

/** What there is one number of for each batch. */
export const QUANTITIES = [
  "max_gradient",
  "mean_gradient",
  "grad_norm",
  "update_norm",
  "loss",
  "accuracy",
  "horizon_length",
  "spectral_radius",
  "largest_singular_value",
  "saturation",
  "unit_median",
  "unit_p90",
  "unit_max",
] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** Which stream of a minibatch, counted from 0; null: the average over streams, or all that there is. */
export type Stream = number | null;

/** What a surface is of: a gradient with respect to weights or states, or the Jacobian of states. */
export const BASES = ["W_hh", "W_ih", "h", "c", "jacobian"] as const;
export type Base = (typeof BASES)[number];
export type Direction = "forward" | "reverse" | "both";

/** A surface that the network has, without selectors of gates or units (see `surfaces.ts`). */
export interface SurfaceInfo {
  name: string;
  base: Base;
  layer: number;
  direction: Direction;
  /** It comes with every recorded batch. */
  recorded: boolean;
}

/** What of a batch: what is recorded, or by its name a surface, `units:S` or `cell:SUFFIX`. */
export type Part = string | null;

/** What is drawn, as a person or the kernel chose it: traits that are set on both sides. */
export interface Choices {
  measure: Measure;
  form: Form;
  quantity: Quantity;
  overlay: Quantity | null;
  log_scale: boolean;
  stream: Stream;
  /** Name of the surface that panels 2, 3 and 4 show. */
  surface: string;
}
export const CHOICES = [
  "measure",
  "form",
  "quantity",
  "overlay",
  "log_scale",
  "stream",
  "surface",
] as const satisfies (keyof Choices)[];

export type Setting = "learning_rate" | "horizon" | "record_every";
/** "auto": the kernel chooses the horizon. */
export type SettingValue = number | "auto" | null;

/** What is known of the network and its data; an opened run may not say all of it. */
export interface Info {
  live: boolean;
  seq_length: number | null;
  /** Streams of a minibatch. */
  batch_size: number;
  num_layers: number;
  bidirectional: boolean;
  hidden_size: number | null;
  data_name: string;
  data_length: number | null;
  cell: string | null;
  /** What can be shown. */
  surfaces: SurfaceInfo[];
  /** The cell's gates, in the order of their rows; empty if it has none. */
  gates: string[];
  /** Hidden units of a layer in one direction. */
  units: number;
  /** Name of the surface that is recorded first. */
  primary: string;
  /** What is known of inputs, targets and their loss; null if a run does not say. */
  task: Task | null;
  /** Of a page that is one file only: of how many recorded batches it has details. */
  page?: { details: number };
}

/** What inputs and targets are, and what their loss is to be compared with. */
export interface Task {
  kind: "classes" | "values";
  loss_name: string;
  /** Empty if it has none. */
  loss_unit: string;
  /** Null if inputs tell nothing that targets do not. */
  inputs: "classes" | "values" | null;
  input_vocabulary: string[];
  input_entries: string[];
  output_entries: string[];
  /** Sequences are independent and always others: they have no place in any data. */
  fresh: boolean;
  /** The loss of a predictor that misses the point, the least of any, and one below which the task is solved. */
  baseline: number | null;
  baseline_name: string;
  least: number | null;
  least_name: string;
  solved_below: number | null;
}

export interface Status {
  state: "ready" | "training" | "paused" | "diverged" | "error";
  batch: number;
  epoch_of_data: number;
  loss: number | null;
  perplexity: number | null;
  rate: number | null;
  message: string;
  hint: string;
  /** The kernel holds the details of one in so many older batches; 1: of all. */
  details_every: number;
  /** Bytes that the run may take in the kernel. */
  memory_limit: number;
  /** Share of its time that a loop elsewhere spends on recording; null or missing where there is none. */
  overhead?: number | null;
  /** The file that the run is written to, or read from. */
  file?: FileStatus | null;
  /** What the newest recorded batches say; missing in notebooks that older versions saved. */
  diagnoses?: Diagnosis[];
}

/** One thing that is known of how training goes. */
export interface Diagnosis {
  kind: "vanishing" | "reach" | "exploding" | "clipped" | "saturated" | "dead";
  name: string;
  sentence: string;
  /** What to try: a sentence. */
  remedy: string;
}

export interface FileStatus {
  /** Another process may add to it, or something waits to be written to it: pages ask. */
  follows: boolean;
  /** What happens with it, in a sentence. */
  said: string;
  /** Why it cannot be written, or "". */
  trouble: string;
}

export interface Sample {
  batch: number;
  text: string;
}

export interface Samples {
  first: Sample | null;
  now: Sample | null;
}

/** A batch worth looking at. */
export interface Cue {
  batch: number;
  kind: "diverged" | "tallest" | "sudden_change" | "first_clipped" | "longest_horizon" | "shortest_horizon";
  score: number;
  reason: string;
}

/** Which horizon would be enough, and what each leaves out. */
export interface HorizonChoice {
  horizon: number;
  tolerance: number;
  /** Batches that were trained when it was measured. */
  batch: number;
  /** How many losses it was measured on. */
  losses: number;
  /** At k: the largest relative part of a loss's gradient that k lags leave out; null if that is not finite. */
  residual: (number | null)[];
}

/** Bytes as the different hosts deliver them. */
export type Bytes = ArrayBuffer | ArrayBufferView;

export interface RunState {
  epoch: number;
  next: number;
  /** Batches that the kernel has recorded; the chunks may hold fewer. */
  recorded: number;
  chunks: Bytes[];
}

export interface Traits extends Choices {
  selected: number | null;
  learning_rate: number;
  horizon: SettingValue;
  record_every: number;
  playing: boolean;
  /** The kernel asks for the tour; both ways. Missing in notebooks that older versions saved. */
  _touring?: boolean;
  _labels: string[];
  _info: Info;
  _run: RunState;
  _status: Status;
  _samples: Samples;
  _cues: Cue[];
  _choice: { newest: HorizonChoice | null };
}

/** A request is carried out once, however often it is sent: the kernel knows it by client and seq. */
export type Request =
  | { kind: "lease"; client: string; seq: number; ms: number }
  | { kind: "step"; client: string; seq: number; until: "batch" | "record" }
  | { kind: "follow"; client: string; seq: number };

export type ToKernel =
  | Request
  | { kind: "play" }
  | { kind: "stop" }
  | { kind: "reset" }
  | { kind: "set"; name: Setting; value: SettingValue }
  | { kind: "measure_horizon" }
  | { kind: "code"; client: string }
  | { kind: "resync"; client: string }
  | { kind: "details"; client: string; batch: number; stream: Stream; part: Part };

export interface Frame {
  kind: "frame";
  epoch: number;
  frame: number;
  recorded: number;
  client: string | null;
  seq: number;
  last: boolean;
  playing: boolean;
  status: Status;
  samples?: Samples;
  cues?: Cue[];
  choice?: HorizonChoice | null;
}

export interface Whole {
  kind: "whole";
  epoch: number;
  next: number;
  recorded: number;
  status: Status;
  samples: Samples;
  cues: Cue[];
  choice: HorizonChoice | null;
}

/** The answer to a request for details: with them if they are held, else with the nearest batch of which they are. */
export interface DetailsAnswer {
  kind: "details";
  client: string;
  epoch: number;
  batch: number;
  stream: Stream;
  part: Part;
  held: boolean;
  nearest: number | null;
  /** Why a part cannot be worked out: a sentence. */
  reason?: string | null;
  /** It can, but took too long: the next request goes on from where this one ended. */
  unfinished?: boolean;
  /** The reason may pass. */
  again?: boolean;
}

/** What the kernel can refuse, with a reason. */
export type Refusable = Setting | "measure_horizon";

export type FromKernel =
  | Frame
  | Whole
  | DetailsAnswer
  | { kind: "busy"; client: string; seq: number }
  | { kind: "done"; client: string; seq: number }
  | { kind: "code"; client: string; line: string }
  | { kind: "refused"; name: Refusable; value: unknown; message: string }
  | { kind: "error"; message: string; hint: string };
