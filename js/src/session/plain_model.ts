/** A widget model without a host: a plain object that holds the traits and tells who listens when one is set. */

import type { AnyModel } from "@anywidget/types";
import type { ToKernel } from "../protocol/contract";

type Listener = (...args: unknown[]) => void;

export interface PlainModel<T extends object> {
  model: AnyModel<T>;
  /** Tells those who listen: `change:NAME`, or `msg:custom` with a message and its buffers. */
  emit(event: string, ...args: unknown[]): void;
}

/** `send` takes what goes to the kernel; it throws if there is none. */
export function createPlainModel<T extends object>(traits: T, send: (message: ToKernel) => void): PlainModel<T> {
  const listeners = new Map<string, Set<Listener>>();

  function emit(event: string, ...args: unknown[]) {
    for (const listener of listeners.get(event) ?? []) listener(...args);
  }

  const model = {
    get: (name: keyof T & string) => traits[name],
    set(name: keyof T & string, value: never) {
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
  } as unknown as AnyModel<T>;
  return { model, emit };
}
