/** The head that all panels have: number, title, and a line on how to read the panel. */

import { element, setText } from "../dom";

export interface PanelFrame {
  section: HTMLElement;
  head: HTMLElement;
  hint: HTMLElement;
  /** Says beside the title what of a minibatch is shown; nothing if there is one stream. */
  nameStream(name: string): void;
}

export function createFrame(
  parent: HTMLElement,
  name: string,
  number: number | null,
  title: string,
  hint: string,
): PanelFrame {
  const hintElement = element("p", { class: "hint", text: hint });
  const stream = element("span", { class: "of-stream" });
  const heading = element(
    "h3",
    {},
    ...(number === null ? [] : [element("span", { class: "number", text: String(number) })]),
    element("span", { text: title }),
    stream,
  );
  const head = element("header", {}, heading, hintElement);
  const section = element("section", { class: "panel", attributes: { "data-panel": name } }, head);
  parent.append(section);
  return { section, head, hint: hintElement, nameStream: (name) => setText(stream, name && ` · ${name}`) };
}
