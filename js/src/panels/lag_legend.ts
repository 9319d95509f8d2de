/** The key to panel 3: the colours of the lags, the part beyond them, and the mark. */

import { element } from "../browser/dom";
import { isEarlier, isGrouped, type Rung, rungName } from "../geometry/ladder";
import { lagColor } from "../geometry/lag_colors";
import { counted } from "../words/format";

export interface LegendContent {
  ladder: Rung[];
  /** What sends: the losses, or the states. */
  sender: string;
  /** Something lies beyond the recorded lags. */
  beyond: boolean;
  /** Negative pieces are hatched. */
  against: boolean;
  /** What the mark on a bar is; null: there are no marks. */
  total: string | null;
}

export interface LagLegend {
  update(content: LegendContent): void;
  hide(): void;
}

function distance(rung: Rung): string {
  const most = Math.max(Math.abs(rung.first), Math.abs(rung.last));
  return `${counted(most, "step", rungName(rung))} ${isEarlier(rung) ? "earlier" : "later"}`;
}

export function createLagLegend(parent: HTMLElement): LagLegend {
  const key = (swatch: string, ...content: (Node | string)[]) =>
    element("span", { class: "key" }, element("i", { class: swatch }), ...content);
  const start = element("span");
  const strip = element("span", { class: "strip" });
  const end = element("span");
  const sum = element("span");
  const beyondKey = key("beyond-swatch", "beyond the recorded lags");
  const againstKey = key("against-swatch", "negative: against the rest");
  const sumKey = key("total-swatch", sum);
  const lagKey = element("span", { class: "key" }, start, strip, end);
  const legend = element("div", { class: "legend" }, lagKey, beyondKey, againstKey, sumKey);
  parent.append(legend);
  let drawn = "";

  function drawStrip(ladder: Rung[], sender: string) {
    const [own, ...others] = ladder;
    const later = others.filter((rung) => !isEarlier(rung));
    const earlier = others.filter(isEarlier).reverse();
    const grouped = isGrouped(ladder);
    const both = earlier.length > 0;
    const furthest = later[later.length - 1];
    strip.classList.toggle("named", grouped);
    strip.style.setProperty("--rnnbow-lags", String(ladder.length));
    start.textContent = both ? `▼ earlier ${sender}` : `own ${sender}`;
    end.textContent = both
      ? later.length > 0
        ? `later ${sender} ▲`
        : ""
      : grouped
        ? "steps later"
        : furthest
          ? `${sender} ${distance(furthest)}`
          : "";
    strip.replaceChildren(
      ...[...earlier, own, ...later].map((rung) => {
        const title = rung === own ? `own ${sender}` : `${sender} ${distance(rung)}`;
        const swatch = element("i", { attributes: { title } });
        swatch.style.background = lagColor(rung);
        if (both && rung === own) return element("span", { class: "own" }, swatch, "own");
        return grouped && rung !== own ? element("span", {}, swatch, rungName(rung)) : swatch;
      }),
    );
  }

  return {
    update({ ladder, sender, beyond, against, total }) {
      legend.hidden = false;
      sumKey.hidden = total === null;
      sum.textContent = total ?? "";
      beyondKey.hidden = !beyond;
      againstKey.hidden = !against;
      const names = [sender, ...ladder.map(({ first, last }) => `${first} ${last}`)].join();
      if (names === drawn) return;
      drawn = names;
      drawStrip(ladder, sender);
    },
    hide() {
      legend.hidden = true;
    },
  };
}
