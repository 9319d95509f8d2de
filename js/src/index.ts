/** Entry point: ties the session to the model's life and a view to each display. */

import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { type ComparisonSession, createComparisonSession } from "./comparison/session";
import { createComparisonView } from "./comparison/view";
import type { ComparisonTraits, Traits } from "./contract";
import { createSession, type Session } from "./session";
import "./styles/index.css";
import { createView } from "./view";

type AnyTraits = Traits | ComparisonTraits;

const isComparison = (model: AnyModel<AnyTraits>): model is AnyModel<ComparisonTraits> =>
  Boolean((model as AnyModel<ComparisonTraits>).get("_sides"));

export default () => {
  let session: Session | ComparisonSession;
  return {
    initialize({ model }: InitializeProps<AnyTraits>) {
      session = isComparison(model) ? createComparisonSession(model) : createSession(model as AnyModel<Traits>);
      return () => session.destroy();
    },
    render({ el }: RenderProps<AnyTraits>) {
      const controller = new AbortController();
      el.classList.add("rnnbow-host");
      if ("sides" in session) createComparisonView(el, session, controller.signal);
      else createView(el, session, controller.signal);
      const leave = session.join();
      return () => {
        leave();
        controller.abort();
      };
    },
  };
};
