/** A panel's "how to read this": a button in its head, a short text, and a pointer into the live picture. */

import { element, OWN_KEYS } from "../browser/dom";
import { randomName } from "../browser/random_name";
import { HOW_TO_READ, type PanelName } from "./how_to_texts";
import { pointAt } from "./pointer";

export interface HowTo {
  button: HTMLButtonElement;
  /** What the button opens. */
  note: HTMLElement;
}

export function createHowTo(section: HTMLElement, name: PanelName, title: string): HowTo {
  const { text, points, selectors } = HOW_TO_READ[name];
  const id = `rnnbow-how-${randomName()}`;
  const mark = element("p", { class: "points", text: points });
  const note = element("div", { class: "how-to", attributes: { id, role: "note" } }, element("p", { text }), mark);
  note.hidden = true;
  const button = element("button", {
    class: "how",
    text: "?",
    attributes: {
      type: "button",
      "data-action": "how",
      "aria-label": `How to read: ${title}`,
      "aria-expanded": "false",
      "aria-controls": id,
      title: "How to read this",
      ...OWN_KEYS,
    },
  });
  let stop = () => {};

  function set(open: boolean) {
    stop();
    stop = () => {};
    note.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    const root = section.closest<HTMLElement>(".rnnbow");
    if (open && root) stop = pointAt(root, { within: section, selectors, from: note });
  }

  button.addEventListener("click", () => set(Boolean(note.hidden)));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || note.hidden) return;
    event.stopPropagation();
    set(false);
  });
  return { button, note };
}
