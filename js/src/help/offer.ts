/** Offers the tour to who has not seen it. */

import { element } from "../browser/dom";
import { hasSeenTour, rememberTour } from "./memory";

export interface Offer {
  /** `recorded`: there is something to be shown around in. */
  update(recorded: boolean): void;
  dismiss(): void;
}

export function createOffer(parent: HTMLElement, start: () => void): Offer {
  const make = (action: string, text: string, act: () => void) => {
    const button = element("button", { text, attributes: { type: "button", "data-action": action } });
    button.addEventListener("click", act);
    return button;
  };
  const node = element(
    "div",
    { class: "tour-offer", attributes: { role: "group", "aria-label": "Tour" } },
    element("span", { text: "New to these panels?" }),
    make("take-tour", "Take the tour", start),
    make("no-tour", "No, thanks", () => {
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
