/** One tooltip per view, kept inside the view because hosts clip what leaves an output cell. */

import { element } from "../browser/dom";
import type { TooltipContent } from "../words/tooltip_content";

/** A horizontal stretch that the tooltip should not cover. */
export interface Span {
  left: number;
  right: number;
}

export interface Tooltip {
  /** Shows the content beside the first of the spans that leaves room for it; all in client coordinates. */
  show(content: TooltipContent, spans: Span[], top: number): void;
  hide(): void;
}

const DISTANCE = 10;

export function createTooltip(root: HTMLElement): Tooltip {
  const tip = element("div", { class: "tooltip", attributes: { role: "tooltip" } });
  tip.hidden = true;
  root.append(tip);

  return {
    show({ title, rows }, spans, top) {
      const list = element("dl");
      for (const [label, value] of rows) list.append(element("dt", { text: label }), element("dd", { text: value }));
      tip.replaceChildren(element("strong", { text: title }), list);
      tip.hidden = false;
      const frame = root.getBoundingClientRect();
      const { width, height } = tip.getBoundingClientRect();
      const places = spans.flatMap(({ left, right }) => [right + DISTANCE, left - DISTANCE - width]);
      const fits = (x: number) => x >= frame.left && x + width <= frame.right;
      const x = (places.find(fits) ?? frame.right - width) - frame.left;
      const y = Math.max(0, Math.min(frame.height - height, top - frame.top - height / 2));
      tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    },
    hide() {
      tip.hidden = true;
    },
  };
}
