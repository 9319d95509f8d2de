/** Ties what is shown to the life of a widget's model, and of each place that displays it. */

import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { createComparisonSession } from "./comparison/session";
import { createComparisonView } from "./comparison/view";
import type { ComparisonTraits } from "./protocol/comparison_contract";
import type { Traits } from "./protocol/contract";
import { createSession } from "./session/session";
import { createView } from "./view/view";

export interface Showing {
  /** Draws into a place until the signal aborts. */
  draw(place: HTMLElement, signal: AbortSignal): void;
  /** A place displays it; returns the function that ends it. */
  join(): () => void;
  destroy(): void;
}

export function showRun(model: AnyModel<Traits>): Showing {
  const session = createSession(model);
  return {
    draw: (place, signal) => createView(place, session, signal),
    join: session.join,
    destroy: session.destroy,
  };
}

export function showComparison(model: AnyModel<ComparisonTraits>): Showing {
  const session = createComparisonSession(model);
  return {
    draw: (place, signal) => createComparisonView(place, session, signal),
    join: session.join,
    destroy: session.destroy,
  };
}

/** Makes what anywidget calls: once for each model. */
export const createWidget =
  <T extends object>(show: (model: AnyModel<T>) => Showing) =>
  () => {
    let showing: Showing;
    return {
      initialize({ model }: InitializeProps<T>) {
        showing = show(model);
        return () => showing.destroy();
      },
      render({ el }: Pick<RenderProps<T>, "el">) {
        const controller = new AbortController();
        el.classList.add("rnnbow-host");
        showing.draw(el, controller.signal);
        const leave = showing.join();
        return () => {
          leave();
          controller.abort();
        };
      },
    };
  };
