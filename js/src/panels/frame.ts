/** The head that all panels have: number, title, and a line on how to read the panel. */

import { element, setText } from "../browser/dom";
import { randomName } from "../browser/random_name";
import { createHowTo } from "../help/how_to_read";
import type { PanelName } from "../help/how_to_texts";
import type { Svg } from "./plot";

export interface PanelFrame {
  section: HTMLElement;
  head: HTMLElement;
  hint: HTMLElement;
  /** Says beside the title what of a minibatch is shown; nothing if there is one stream. */
  nameStream(name: string): void;
  /** Says beside a plot, for who does not see it, what it shows. */
  describe(svg: Svg, text: string): void;
}

export function createFrame(
  parent: HTMLElement,
  name: PanelName,
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
  const section = element("section", { class: "panel", attributes: { "data-panel": name, "aria-label": title } });
  const { button, note } = createHowTo(section, name, title);
  const head = element("header", {}, heading, button, hintElement);
  const alternative = element("p", { class: "alternative", attributes: { id: `rnnbow-shows-${randomName()}` } });
  section.append(head, note, alternative);
  parent.append(section);
  return {
    section,
    head,
    hint: hintElement,
    nameStream: (name) => setText(stream, name && ` · ${name}`),
    describe(svg, text) {
      svg.attr("aria-describedby", alternative.id);
      setText(alternative, text);
    },
  };
}
