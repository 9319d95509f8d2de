/** A panel that is opened by its title; beside the title stands what was found. */

import { element, OWN_KEYS } from "../browser/dom";
import type { Gestures } from "../figure/figure";
import { createHowTo } from "../help/how_to_read";
import type { PanelName } from "../help/how_to_texts";

export interface Foldout {
  section: HTMLElement;
  details: HTMLDetailsElement;
  body: HTMLElement;
  finding: HTMLElement;
}

export function createFoldout(
  parent: HTMLElement,
  { name, title, body }: { name: PanelName; title: string; body: string },
  gestures: Gestures,
): Foldout {
  const finding = element("span");
  const content = element("div", { class: body });
  const summary = element("summary", {}, element("span", { class: "title", text: title }), finding);
  const section = element("section", {
    class: "panel foldout",
    attributes: { "data-panel": name, "aria-label": title },
  });
  const { button, note } = createHowTo(section, name, title);
  const how = element("div", { class: "how-row" }, button, note);
  const details = element("details", { attributes: OWN_KEYS }, summary, how, content);
  section.append(details);
  parent.append(section);
  details.addEventListener("toggle", gestures.redraw);
  return { section, details, body: content, finding };
}
