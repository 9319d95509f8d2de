/** The key to panel 3: the colours of the lags, the part beyond them, and the mark. */

import { element } from "../dom";
import { type Rung, rungName } from "../ladder";
import { lagColor } from "../lag_colors";

export interface LagLegend {
  update(ladder: Rung[], beyond: boolean, total: string): void;
  hide(): void;
}

const later = (rung: Rung) => (rung.last === 1 ? "1 step later" : `${rungName(rung)} steps later`);

export function createLagLegend(parent: HTMLElement): LagLegend {
  const strip = element("span", { class: "strip" });
  const end = element("span");
  const beyondKey = element(
    "span",
    { class: "key" },
    element("i", { class: "beyond-swatch" }),
    "beyond the recorded lags",
  );
  const sum = element("span");
  const sumKey = element("span", { class: "key" }, element("i", { class: "total-swatch" }), sum);
  const lagKey = element("span", { class: "key" }, element("span", { text: "own loss" }), strip, end);
  const legend = element("div", { class: "legend" }, lagKey, beyondKey, sumKey);
  parent.append(legend);
  let drawn = "";

  return {
    update(ladder, beyond, total) {
      legend.hidden = false;
      sum.textContent = total;
      beyondKey.hidden = !beyond;
      const names = ladder.map(rungName).join();
      if (names === drawn) return;
      drawn = names;
      const last = ladder[ladder.length - 1];
      const grouped = last.first < last.last;
      strip.classList.toggle("named", grouped);
      strip.style.setProperty("--rnnbow-lags", String(ladder.length));
      end.textContent = grouped ? "steps later" : ladder.length > 1 ? `loss ${later(last)}` : "";
      strip.replaceChildren(
        ...ladder.map((rung, index) => {
          const swatch = element("i", { attributes: { title: index === 0 ? "own loss" : `loss ${later(rung)}` } });
          swatch.style.background = lagColor(index);
          return grouped && index > 0 ? element("span", {}, swatch, rungName(rung)) : swatch;
        }),
      );
    },
    hide() {
      legend.hidden = true;
    },
  };
}
