/**
 * The model of the panels within a sweep: it has no host of its own, and its messages travel with those of the sweep's
 * model. Its traits are an object of that model, changed in place, so that a saved notebook holds them.
 */

import type { AnyModel } from "@anywidget/types";
import { isObject } from "../protocol/checks";
import type { Bytes } from "../protocol/contract";
import type { RelayedToKernel, RelayedToPage } from "../protocol/sweep_contract";
import { createListeners } from "../session/listeners";

type Values = Record<string, unknown>;

export interface InnerModel<T extends object> {
  model: AnyModel<T>;
  /** Takes what the kernel says to it. */
  receive(data: RelayedToPage, buffers: Bytes[]): void;
}

/** `send` takes what it says to the kernel. */
export function createInnerModel<T extends object>(traits: T, send: (data: RelayedToKernel) => void): InnerModel<T> {
  const values = traits as Values;
  const { on, off, emit } = createListeners();
  /** What was set here and not sent yet. */
  let unsaved: Values = {};
  /** How many echoes of what this page has set are on their way: until then, what is here is newer. */
  const echoes = new Map<string, number>();

  function take(name: string, value: unknown) {
    values[name] = value;
    emit(`change:${name}`);
  }

  function isOwnEcho(name: string): boolean {
    const left = echoes.get(name) ?? 0;
    if (left > 0) echoes.set(name, left - 1);
    return left > 0;
  }

  const model = {
    get: (name: string) => values[name],
    set(name: string, value: unknown) {
      if (values[name] === value) return;
      unsaved[name] = value;
      take(name, value);
    },
    save_changes() {
      const state = unsaved;
      unsaved = {};
      if (Object.keys(state).length === 0) return;
      for (const name of Object.keys(state)) echoes.set(name, (echoes.get(name) ?? 0) + 1);
      send({ method: "update", state, buffer_paths: [] });
    },
    send: (content: unknown) => send({ method: "custom", content }),
    on,
    off,
  } as unknown as AnyModel<T>;

  return {
    model,
    receive(data, buffers) {
      if (data.method === "custom") return emit("msg:custom", data.content, buffers);
      if (!isObject(data.state) || !Array.isArray(data.buffer_paths)) throw new Error("a relayed message has no state");
      putBuffers(data.state, data.buffer_paths, buffers);
      for (const [name, value] of Object.entries(data.state)) {
        if (data.method === "update" || !isOwnEcho(name)) take(name, value);
      }
    },
  };
}

/** Puts buffers where they belong: at the end of each path of names and places. */
function putBuffers(state: Values, paths: (string | number)[][], buffers: Bytes[]) {
  paths.forEach((path, index) => {
    const parent = path.slice(0, -1).reduce<Values>((some, key) => {
      if (!Object.hasOwn(some, key)) throw new Error(`a relayed message has no ${key}`);
      return some[key] as Values;
    }, state);
    parent[path[path.length - 1]] = buffers[index];
  });
}
