/** Offers the tour to who has not seen it. */

import { element } from "../browser/dom";
import { createButton } from "../controls/button";
import { hasSeenTour, rememberTour } from "./memory";

export interface Offer {
  /** `recorded`: there is something to be shown around in. */
  update(recorded: boolean): void;
  dismiss(): void;
}

export function createOffer(parent: HTMLElement, start: () => void): Offer {
  const node = element(
    "div",
    { class: "tour-offer", attributes: { role: "group", "aria-label": "Tour" } },
    element("span", { text: "New to these panels?" }),
    createButton("take-tour", "Take the tour", start),
    createButton("no-tour", "No, thanks", () => {
      rememberTour();
      dismiss();
    }),
  );
  let due = !hasSeenTour();
  node.hidden = true;
  parent.append(node);

  function dismiss() {
    due = false;
    node.hidden = true;
  }

  return {
    update(recorded) {
      node.hidden = !(due && recorded);
    },
    dismiss,
  };
}
