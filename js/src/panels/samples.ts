/** Text written by the model: before training, and as it stands. */

import { element, setText } from "../browser/dom";
import type { Panel } from "../figure/figure";
import type { Sample } from "../protocol/contract";
import { formatCount } from "../words/format";
import { pictureOf } from "../words/visible_text";

/** The text itself; pictures of what has no ink are drawn by the style sheet, so copying gives the text. */
function inkedText(text: string): Node[] {
  return text.split(/([^\P{C}]|[\t\n])/u).map((piece) => {
    const picture = piece.length === 1 && piece !== " " ? pictureOf(piece) : null;
    if (!picture) return document.createTextNode(piece);
    return element("span", {
      class: /[\t\n]/.test(piece) ? "inkless" : "inkless control",
      text: piece,
      attributes: { "data-picture": picture },
    });
  });
}

export function createSamples(parent: HTMLElement): Panel {
  const section = element("section", { class: "panel samples", attributes: { "data-panel": "samples" } });
  section.append(element("header", {}, element("h3", { text: "What it writes" })));
  const grid = element("div", { class: "sample-grid" });
  section.append(grid);
  parent.append(section);

  function createColumn(name: string) {
    const caption = element("figcaption");
    const text = element("pre", { attributes: { "data-sample": name } });
    const figure = element("figure", {}, caption, text);
    grid.append(figure);
    let drawn: string | null = null;
    return (sample: Sample | null, when: string) => {
      figure.hidden = sample === null;
      if (!sample) return;
      setText(caption, `${when}, batch ${formatCount(sample.batch)}`);
      if (sample.text === drawn) return;
      drawn = sample.text;
      text.replaceChildren(...inkedText(sample.text));
    };
  }

  const first = createColumn("first");
  const now = createColumn("now");
  return {
    update({ state: { samples } }) {
      section.hidden = !samples.first && !samples.now;
      first(samples.first, "before training");
      const isTheSame = samples.first?.batch === samples.now?.batch;
      now(isTheSame ? null : samples.now, "now");
    },
  };
}
