/** What every view of one widget shares. The session writes it; toolbar and panels read it. */

import type {
  Choices,
  Cue,
  HorizonChoice,
  Info,
  Refusable,
  Samples,
  Setting,
  SettingValue,
  Status,
} from "../protocol/contract";
import type { Run } from "./run";

export interface Problem {
  message: string;
  hint: string;
}

/** What is said of something that went wrong in the browser. */
export const asProblem = (message: string, error: unknown): Problem => ({
  message,
  hint: error instanceof Error ? error.message : String(error),
});

/** All of this as a line of Python. */
export interface Code {
  line: string;
}

export interface State extends Choices {
  run: Run;
  /** Batches that the kernel has recorded: more than the run has, if this is an extract of it. */
  recorded: number;
  /** The rest of the run was asked for, and may still come. */
  completing: boolean;
  /** The kernel has been heard since the page was loaded. */
  reached: boolean;
  labels: string[];
  info: Info;
  status: Status;
  samples: Samples;
  /** Batches worth looking at, ranked. */
  cues: readonly Cue[];
  /** The newest answer to which horizon would be enough. */
  choice: HorizonChoice | null;
  selected: number | null;
  settings: Record<Setting, SettingValue>;
  playing: boolean;
  /** The kernel asks for the tour. */
  touring: boolean;
  /** What the kernel refused, with its reason, until it is asked for again. */
  refused: Partial<Record<Refusable, string>>;
  /** As the kernel told it last; each answer is an object of its own. */
  code: Code | null;
  /** Something in the browser failed: shown, never swallowed. */
  problem: Problem | null;
  /** The kernel owes an answer and has said nothing for some seconds. */
  silent: boolean;
}

/** Whether there is to be asked for what is done with the file: another process may add to it, or something waits. */
export const follows = ({ file }: Pick<Status, "file">) => file?.follows ?? false;

export interface Store<S = State> {
  readonly state: S;
  update(changes: Partial<S>): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
}

export function createStore<S>(initial: S): Store<S> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get state() {
      return state;
    },
    update(changes) {
      state = { ...state, ...changes };
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
