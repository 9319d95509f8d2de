/** The head that all panels have: number, title, and a line on how to read the panel. */

import { element } from "../dom";

export interface PanelFrame {
  section: HTMLElement;
  head: HTMLElement;
  hint: HTMLElement;
}

export function createFrame(
  parent: HTMLElement,
  name: string,
  number: number,
  title: string,
  hint: string,
): PanelFrame {
  const hintElement = element("p", { class: "hint", text: hint });
  const heading = element(
    "h3",
    {},
    element("span", { class: "number", text: String(number) }),
    element("span", { text: title }),
  );
  const head = element("header", {}, heading, hintElement);
  const section = element("section", { class: "panel", attributes: { "data-panel": name } }, head);
  parent.append(section);
  return { section, head, hint: hintElement };
}
