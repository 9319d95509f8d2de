/** A model, a clock and a page that do only what a test tells them. */

import type { AnyModel } from "@anywidget/types";
import type { Clock, Visibility } from "../src/browser/clock";
import type { Status, ToKernel, Traits } from "../src/protocol/contract";
import { createListeners } from "../src/session/listeners";

export function fakeClock() {
  let now = 0;
  const timers = new Set<{ at: number; action: () => void }>();
  const clock: Clock = {
    after(ms, action) {
      const timer = { at: now + ms, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  return {
    clock,
    pending: () => timers.size,
    pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers.delete(due);
        now = due.at;
        due.action();
      }
      now = end;
    },
  };
}

export function fakeVisibility() {
  let shown = true;
  const listeners = new Set<() => void>();
  const visibility: Visibility = {
    visible: () => shown,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    visibility,
    show(visible: boolean) {
      shown = visible;
      for (const listener of listeners) listener();
    },
  };
}

export const STATUS: Status = {
  state: "ready",
  batch: 0,
  epoch_of_data: 0,
  loss: null,
  perplexity: null,
  rate: null,
  message: "",
  hint: "",
  details_every: 1,
  memory_limit: 256_000_000,
};

export function fakeModel(changes: Partial<Traits> = {}) {
  const traits: Traits = {
    selected: null,
    measure: "norm",
    form: "auto",
    quantity: "max_gradient",
    overlay: null,
    log_scale: false,
    stream: null,
    surface: "W_hh",
    learning_rate: 0.1,
    horizon: 2,
    record_every: 100,
    playing: false,
    _labels: ["a", "b", "c"],
    _info: {
      live: true,
      seq_length: 3,
      batch_size: 1,
      num_layers: 1,
      bidirectional: false,
      hidden_size: 4,
      data_name: "text",
      data_length: 90,
      cell: "tanh",
      surfaces: [{ name: "W_hh", base: "W_hh", layer: 0, direction: "forward", recorded: true }],
      gates: [],
      units: 4,
      task: null,
      primary: "W_hh",
    },
    _run: { epoch: 0, next: 0, recorded: 0, chunks: [] },
    _status: { ...STATUS },
    _samples: { first: null, now: null },
    _cues: [],
    _choice: { newest: null },
    ...changes,
  };
  const { on, off, emit, count } = createListeners();
  const sent: ToKernel[] = [];
  const saved: (keyof Traits)[] = [];
  let unsaved: (keyof Traits)[] = [];
  let closed = false;
  const model = {
    get: (name: keyof Traits) => traits[name],
    set(name: keyof Traits, value: never) {
      traits[name] = value;
      unsaved.push(name);
      emit(`change:${name}`);
    },
    save_changes() {
      saved.push(...unsaved);
      unsaved = [];
    },
    send(message: ToKernel) {
      if (closed) throw new Error("Cannot send");
      sent.push(message);
    },
    on,
    off,
  } as unknown as AnyModel<Traits>;
  return {
    model,
    traits,
    sent,
    saved,
    /** The host closes the notebook, and with it the way to the kernel. */
    close() {
      closed = true;
    },
    listening: count,
    receive: (message: unknown, buffers: (ArrayBuffer | DataView)[] = []) => emit("msg:custom", message, buffers),
    /** The kernel changes a trait. */
    change<K extends keyof Traits>(name: K, value: Traits[K]) {
      traits[name] = value;
      emit(`change:${name}`);
    },
  };
}
