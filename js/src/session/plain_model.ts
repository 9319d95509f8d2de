/** A widget model without a host: a plain object that holds the traits and tells who listens when one is set. */

import type { AnyModel } from "@anywidget/types";
import type { ToKernel } from "../protocol/contract";
import { createListeners, type Listeners } from "./listeners";

export interface PlainModel<T extends object> {
  model: AnyModel<T>;
  /** `change:NAME`, or `msg:custom` with a message and its buffers. */
  emit: Listeners["emit"];
}

/** `send` takes what goes to the kernel; it throws if there is none. */
export function createPlainModel<T extends object>(traits: T, send: (message: ToKernel) => void): PlainModel<T> {
  const { on, off, emit } = createListeners();
  const model = {
    get: (name: keyof T & string) => traits[name],
    set(name: keyof T & string, value: never) {
      traits[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {},
    send,
    on,
    off,
  } as unknown as AnyModel<T>;
  return { model, emit };
}
