/**
 * One widget model's conversation with its kernel: applies what arrives to the store and to the model's own
 * attributes, and sends what the person asks for. Lives as long as the model, whatever views come and go.
 */

import type { AnyModel } from "@anywidget/types";
import { browserClock, type Clock, createAudience, pageVisibility, type Visibility } from "./clock";
import {
  type Bytes,
  CHOICES,
  type Choices,
  type Cue,
  type Frame,
  type FromKernel,
  type HorizonChoice,
  type Refusable,
  type Setting,
  type SettingValue,
  type Status,
  type ToKernel,
  type Traits,
  type Whole,
} from "./contract";
import { decodeChunk, ownView } from "./protocol";
import { randomName } from "./random_name";
import { createRequests, SILENCE_MS } from "./requests";
import { createRun, type Run } from "./run";
import { createStore, type State, type Store } from "./store";

/** All that a person can ask for. */
export interface Commands {
  play(): void;
  stop(): void;
  step(until: "batch" | "record"): void;
  reset(): void;
  set(name: Setting, value: SettingValue): void;
  /** Asks which horizon would be enough. */
  measureHorizon(): void;
  select(batch: number | null): void;
  choose<K extends keyof Choices>(name: K, value: Choices[K]): void;
}

export interface Session {
  store: Store;
  commands: Commands;
  /** A view shows this session; returns the function that ends it. Without one, nothing is trained. */
  join(): () => void;
  destroy(): void;
}

const SETTINGS: readonly Setting[] = ["learning_rate", "horizon", "record_every"];

export function createSession(
  model: AnyModel<Traits>,
  clock: Clock = browserClock,
  visibility: Visibility = pageVisibility,
): Session {
  const client = randomName();
  const store = createStore(readState());
  const audience = createAudience(visibility);
  const cleanups: (() => void)[] = [];
  /** Ends the wait for an answer to a command; also limits `resync` to one until the whole arrives or stays away. */
  let cancelAnswerTimer = () => {};
  let cancelResyncTimer: (() => void) | null = null;

  const requests = createRequests({
    client,
    send: sendToKernel,
    wanted: () => model.get("playing"),
    onSilence: () => store.update({ silent: true }),
    clock,
    visibility: audience,
  });

  function readState(): State {
    const initial: State = {
      run: createRun(),
      labels: model.get("_labels"),
      info: model.get("_info"),
      status: model.get("_status"),
      samples: model.get("_samples"),
      cues: [...model.get("_cues")],
      choice: model.get("_choice").newest,
      selected: model.get("selected"),
      measure: model.get("measure"),
      form: model.get("form"),
      quantity: model.get("quantity"),
      overlay: model.get("overlay"),
      log_scale: model.get("log_scale"),
      settings: {
        learning_rate: model.get("learning_rate"),
        horizon: model.get("horizon"),
        record_every: model.get("record_every"),
      },
      playing: model.get("playing"),
      refused: {},
      problem: null,
      silent: false,
    };
    try {
      return { ...initial, run: readRun() };
    } catch (error) {
      return { ...initial, problem: unreadable(error) };
    }
  }

  function readRun(): Run {
    const run = createRun();
    for (const chunk of model.get("_run").chunks) run.append(decodeChunk(chunk));
    return run;
  }

  /** Gives whether it was sent: hosts throw once the notebook is closed or its kernel is gone. */
  function sendToKernel(message: ToKernel): boolean {
    try {
      model.send(message);
      return true;
    } catch {
      store.update({ silent: true });
      return false;
    }
  }

  function command(message: ToKernel) {
    if (!sendToKernel(message)) return;
    cancelAnswerTimer();
    cancelAnswerTimer = clock.after(SILENCE_MS, () => store.update({ silent: true }));
  }

  function heard() {
    cancelAnswerTimer();
    requests.heard();
    if (store.state.silent) store.update({ silent: false });
  }

  function resync() {
    if (cancelResyncTimer || !sendToKernel({ kind: "resync", client })) return;
    cancelResyncTimer = clock.after(SILENCE_MS, () => {
      cancelResyncTimer = null;
    });
  }

  /** Keeps chunks that can be read, in the run and in the model, so that a saved notebook holds them. */
  function appendChunks(run: Run, chunks: Bytes[]) {
    for (const received of chunks) {
      const chunk = ownView(received);
      run.append(decodeChunk(chunk));
      model.get("_run").chunks.push(chunk);
    }
  }

  function keepCues(cues: Cue[]) {
    model.get("_cues").splice(0, Number.POSITIVE_INFINITY, ...cues);
    store.update({ cues });
  }

  function keepChoice(choice: HorizonChoice | null) {
    model.get("_choice").newest = choice;
    store.update({ choice, refused: without("measure_horizon") });
  }

  /** What stays refused when one thing is asked for again. */
  function without(name: Refusable): State["refused"] {
    const { [name]: _asked, ...refused } = store.state.refused;
    return refused;
  }

  function applyFrame(frame: Frame, chunks: Bytes[]) {
    const held = model.get("_run");
    if (frame.epoch > held.epoch || (frame.epoch === held.epoch && frame.frame > held.next)) return resync();
    if (frame.epoch < held.epoch || frame.frame < held.next) return;
    held.next += 1;
    Object.assign(model.get("_status"), frame.status);
    if (frame.samples) Object.assign(model.get("_samples"), frame.samples);
    if (frame.cues) keepCues(frame.cues);
    if (frame.choice !== undefined) keepChoice(frame.choice);
    store.update({ status: { ...frame.status }, samples: { ...model.get("_samples") } });
    appendChunks(store.state.run, chunks);
  }

  function applyWhole(whole: Whole, chunks: Bytes[]) {
    cancelResyncTimer?.();
    cancelResyncTimer = null;
    const held = model.get("_run");
    Object.assign(held, { epoch: whole.epoch, next: whole.next });
    held.chunks.splice(0);
    Object.assign(model.get("_status"), whole.status);
    Object.assign(model.get("_samples"), whole.samples);
    keepCues(whole.cues);
    keepChoice(whole.choice);
    const run = createRun();
    store.update({ run, status: { ...whole.status }, samples: { ...whole.samples }, problem: null });
    appendChunks(run, chunks);
  }

  function applyError(message: string, hint: string) {
    const status: Status = Object.assign(model.get("_status"), { state: "error" as const, message, hint });
    requests.failed();
    store.update({ status: { ...status } });
  }

  function apply(message: FromKernel, buffers: Bytes[]) {
    switch (message.kind) {
      case "frame":
        try {
          applyFrame(message, buffers);
        } finally {
          // Even a frame that is late or cannot be read ends its request: the chain must not die of it.
          if (message.last) requests.ended(message.client, message.seq, message.playing);
        }
        break;
      case "whole":
        applyWhole(message, buffers);
        break;
      case "busy":
        requests.busy(message.client, message.seq);
        break;
      case "done":
        requests.ended(message.client, message.seq, model.get("playing"));
        break;
      case "refused":
        store.update({ refused: { ...store.state.refused, [message.name]: message.message } });
        break;
      case "error":
        applyError(message.message, message.hint);
        break;
      default:
        message satisfies never;
    }
  }

  function onMessage(message: FromKernel, buffers: Bytes[] = []) {
    heard();
    try {
      apply(message, buffers);
    } catch (error) {
      store.update({ problem: unreadable(error) });
    }
    // Panels draw from the run, which grows in place.
    store.update({});
  }

  function on(event: `change:${string}` | "msg:custom", listener: (...args: never[]) => void) {
    const callback = listener as () => void;
    model.on(event as `change:${string}`, callback);
    cleanups.push(() => model.off(event as `change:${keyof Traits & string}`, callback));
  }

  on("msg:custom", onMessage);
  on("change:_run", () => {
    try {
      store.update({ run: readRun(), problem: null });
    } catch (error) {
      store.update({ problem: unreadable(error) });
    }
  });
  on("change:_labels", () => store.update({ labels: model.get("_labels") }));
  on("change:_info", () => store.update({ info: model.get("_info") }));
  on("change:_status", () => store.update({ status: { ...model.get("_status") } }));
  on("change:_samples", () => store.update({ samples: { ...model.get("_samples") } }));
  on("change:_cues", () => store.update({ cues: [...model.get("_cues")] }));
  on("change:_choice", () => store.update({ choice: model.get("_choice").newest }));
  on("change:selected", () => store.update({ selected: model.get("selected") }));
  for (const name of CHOICES) on(`change:${name}`, () => store.update({ [name]: model.get(name) }));
  on("change:playing", () => {
    heard();
    store.update({ playing: model.get("playing") });
    requests.play();
  });
  for (const name of SETTINGS) {
    on(`change:${name}`, () => {
      heard();
      store.update({ settings: { ...store.state.settings, [name]: model.get(name) }, refused: without(name) });
    });
  }

  return {
    store,
    commands: {
      play: () => command({ kind: "play" }),
      stop: () => command({ kind: "stop" }),
      step: (until) => requests.step(until),
      reset: () => command({ kind: "reset" }),
      set(name, value) {
        store.update({ refused: without(name) });
        sendToKernel({ kind: "set", name, value });
      },
      measureHorizon() {
        store.update({ refused: without("measure_horizon") });
        command({ kind: "measure_horizon" });
      },
      select(batch) {
        model.set("selected", batch);
        model.save_changes();
      },
      choose(name, value) {
        model.set(name, value as never);
        model.save_changes();
      },
    },
    join: audience.join,
    destroy() {
      requests.destroy();
      cancelAnswerTimer();
      cancelResyncTimer?.();
      for (const cleanup of cleanups) cleanup();
    },
  };
}

function unreadable(error: unknown) {
  const reason = error instanceof Error ? error.message : String(error);
  return { message: "A part of the run could not be read.", hint: reason };
}
