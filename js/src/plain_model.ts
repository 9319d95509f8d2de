/** A widget model without a host: a plain object that holds the traits and tells who listens when one is set. */

import type { AnyModel } from "@anywidget/types";
import type { ToKernel, Traits } from "./contract";

type Listener = (...args: unknown[]) => void;

export interface PlainModel {
  model: AnyModel<Traits>;
  /** Tells those who listen: `change:NAME`, or `msg:custom` with a message and its buffers. */
  emit(event: string, ...args: unknown[]): void;
}

/** `send` takes what goes to the kernel; it throws if there is none. */
export function createPlainModel(traits: Traits, send: (message: ToKernel) => void): PlainModel {
  const listeners = new Map<string, Set<Listener>>();

  function emit(event: string, ...args: unknown[]) {
    for (const listener of listeners.get(event) ?? []) listener(...args);
  }

  const model = {
    get: (name: keyof Traits) => traits[name],
    set(name: keyof Traits, value: never) {
      traits[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {},
    send,
    on(event: string, listener: Listener) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    off(event: string, listener: Listener) {
      listeners.get(event)?.delete(listener);
    },
  } as unknown as AnyModel<Traits>;
  return { model, emit };
}
