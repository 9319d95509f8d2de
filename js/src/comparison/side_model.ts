/** One side of a comparison as a model of its own, so that a session can keep it as it keeps any widget's. */

import type { AnyModel } from "@anywidget/types";
import type { ComparisonTraits, SideState } from "../protocol/comparison_contract";
import type { Bytes, FromKernel, ToKernel, Traits } from "../protocol/contract";

/** What a person chooses for all sides, and each has as its own. */
export const SHARED = ["selected", "measure", "form", "quantity", "log_scale", "stream"] as const;
type Shared = (typeof SHARED)[number];

type Listener = (...args: unknown[]) => void;

export interface SideModel {
  model: AnyModel<Traits>;
  /** Hands over a message that is about this side. */
  receive(message: FromKernel, buffers: Bytes[]): void;
}

const isShared = (name: string): name is Shared => (SHARED as readonly string[]).includes(name);

export function createSideModel(whole: AnyModel<ComparisonTraits>, side: number): SideModel {
  const trait = `_side_${side}` as "_side_0";
  const listeners = new Set<Listener>();
  const state = () => whole.get(trait) as SideState;

  const own: Record<string, () => unknown> = {
    // Leases are asked for by the comparison, for all sides together.
    playing: () => false,
    overlay: () => null,
    surface: () => state()._info.primary,
  };

  /** What changes on the comparison's model when a trait of this side does. */
  const source = (event: string) => {
    const name = event.slice("change:".length);
    return isShared(name) ? `change:${name}` : `change:${trait}`;
  };
  const follows = (event: string) => {
    const name = event.slice("change:".length);
    return isShared(name) || !(name in own);
  };

  const model = {
    get(name: string) {
      if (isShared(name)) return whole.get(name);
      return name in own ? own[name]() : state()[name as keyof SideState];
    },
    set: (name: Shared, value: never) => whole.set(name, value),
    save_changes: () => whole.save_changes(),
    send: (message: ToKernel) => whole.send({ ...message, side }),
    on(event: string, listener: Listener) {
      if (event === "msg:custom") listeners.add(listener);
      else if (follows(event)) whole.on(source(event) as "change:scale", listener);
    },
    off(event: string, listener: Listener) {
      if (event === "msg:custom") listeners.delete(listener);
      else if (follows(event)) whole.off(source(event) as "change:scale", listener);
    },
  };

  return {
    model: model as unknown as AnyModel<Traits>,
    receive(message, buffers) {
      for (const listener of listeners) listener(message, buffers);
    },
  };
}
