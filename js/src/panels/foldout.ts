/** A panel that is opened by its title; beside the title stands what was found. */

import { element } from "../dom";
import type { Gestures } from "../figure";

export interface Foldout {
  section: HTMLElement;
  details: HTMLDetailsElement;
  body: HTMLElement;
  finding: HTMLElement;
}

export function createFoldout(
  parent: HTMLElement,
  { name, title, body }: { name: string; title: string; body: string },
  gestures: Gestures,
): Foldout {
  const finding = element("span");
  const content = element("div", { class: body });
  const summary = element("summary", {}, element("span", { class: "title", text: title }), finding);
  // Keys belong to what is in the panel, and not to the host's shortcuts.
  const attributes = { "data-lm-suppress-shortcuts": "true" };
  const details = element("details", { attributes }, summary, content);
  const section = element("section", { class: "panel foldout", attributes: { "data-panel": name } }, details);
  parent.append(section);
  details.addEventListener("toggle", gestures.redraw);
  return { section, details, body: content, finding };
}
