/** Entry point: ties the session to the model's life and a view to each display. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import type { Traits } from "./contract";
import { createSession, type Session } from "./session";
import "./styles/index.css";
import { createView } from "./view";

export default () => {
  let session: Session;
  return {
    initialize({ model }: InitializeProps<Traits>) {
      session = createSession(model);
      return () => session.destroy();
    },
    render({ el }: RenderProps<Traits>) {
      const controller = new AbortController();
      el.classList.add("rnnbow-host");
      createView(el, session, controller.signal);
      const leave = session.join();
      return () => {
        leave();
        controller.abort();
      };
    },
  };
};
