/** The key to panel 3: the colours of the lags, the part beyond them, and the mark. */

import { element } from "../dom";
import { lagColor } from "../lag_colors";

export interface LagLegend {
  update(lags: number, beyond: boolean, total: string): void;
}

const later = (lag: number) => (lag === 1 ? "1 step later" : `${lag} steps later`);

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
  parent.append(element("div", { class: "legend" }, lagKey, beyondKey, sumKey));
  let drawn = -1;

  return {
    update(lags, beyond, total) {
      sum.textContent = total;
      beyondKey.hidden = !beyond;
      if (lags === drawn) return;
      drawn = lags;
      strip.style.setProperty("--rnnbow-lags", String(lags));
      end.textContent = lags > 1 ? `loss ${later(lags - 1)}` : "";
      strip.replaceChildren(
        ...Array.from({ length: lags }, (_, lag) => {
          const swatch = element("i", { attributes: { title: lag === 0 ? "own loss" : `loss ${later(lag)}` } });
          swatch.style.background = lagColor(lag);
          return swatch;
        }),
      );
    },
  };
}
