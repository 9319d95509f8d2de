/** Hidden units as small multiples, a button each: two paths and a line of figures. */

import { type Selection, select } from "d3-selection";
import { OWN_KEYS, setAttributes } from "../browser/dom";
import { barsPath, profileDecades, profilePath, tallestOf } from "../geometry/unit_plots";
import type { Units } from "../protocol/chunks";
import { counted, formatNumber, formatPercent, formatTick } from "../words/format";
import { answerKeys } from "./keys";

const [WIDTH, BARS, PROFILE, GAP] = [150, 40, 30, 8];

export interface Card {
  unit: number;
  rank: number;
}

export interface UnitCards {
  draw(units: Units, cards: Card[], common: boolean): void;
  /** Marks the unit that the panels show. */
  mark(unit: number | null): void;
}

type Buttons = Selection<HTMLButtonElement, Card, HTMLElement, unknown>;

export function createUnitCards(parent: HTMLElement, onChoose: (unit: number) => void): UnitCards {
  let chosen: number | null = null;
  /** The card that the Tab key reaches; arrows lead to the others. */
  let entry = 0;
  const all = () => select(parent).selectAll<HTMLButtonElement, Card>("button") as unknown as Buttons;

  function onKey({ key, target }: KeyboardEvent): boolean {
    const nodes = all().nodes();
    const from = nodes.indexOf(target as HTMLButtonElement);
    if (from < 0) return false;
    const perRow = Math.max(1, nodes.filter((node) => node.offsetTop === nodes[0].offsetTop).length);
    const moves: Record<string, number> = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from - perRow,
      ArrowDown: from + perRow,
      Home: 0,
      End: nodes.length - 1,
    };
    if (!(key in moves)) return false;
    const to = moves[key];
    if (to < 0 || to >= nodes.length) return true;
    entry = to;
    setEntry();
    nodes[to].focus();
    return true;
  }

  parent.addEventListener("keydown", answerKeys(onKey));

  function setEntry() {
    const nodes = all().nodes();
    entry = Math.min(entry, nodes.length - 1);
    nodes.forEach((node, index) => {
      node.tabIndex = index === entry ? 0 : -1;
    });
  }

  function append(entered: Selection<never, Card, HTMLElement, unknown>): Buttons {
    const button = entered.append("button").attr("type", "button").attr("class", "unit-card") as unknown as Buttons;
    for (const node of button.nodes()) setAttributes(node, OWN_KEYS);
    button.append("span").attr("class", "unit-name");
    const svg = button
      .append("svg")
      .attr("viewBox", `0 0 ${WIDTH} ${BARS + GAP + PROFILE}`)
      .attr("preserveAspectRatio", "none")
      .attr("aria-hidden", "true");
    svg.append("path").attr("class", "unit-bars");
    svg.append("path").attr("class", "unit-base").attr("d", `M0,${BARS}h${WIDTH}`);
    svg
      .append("path")
      .attr("class", "unit-profile")
      .attr("transform", `translate(0,${BARS + GAP})`);
    button.append("span").attr("class", "unit-figures");
    return button;
  }

  return {
    draw(units, cards, common) {
      const shown = cards.map(({ unit }) => unit);
      const tallest = Math.max(0, ...shown.map((unit) => tallestOf(units, unit)));
      const decades = profileDecades(units, shown);
      const buttons = select(parent)
        .selectAll<HTMLButtonElement, Card>("button")
        .data(cards)
        .join((entered) => append(entered as never) as never) as unknown as Buttons;
      buttons
        .attr("data-unit", ({ unit }) => unit)
        .attr("aria-label", ({ unit, rank }) => describeUnit(units, unit, rank))
        .attr("title", ({ unit, rank }) => describeUnit(units, unit, rank))
        .on("click", (_, { unit }) => onChoose(unit));
      buttons.select(".unit-name").text(({ unit }) => `unit ${unit}`);
      buttons.select(".unit-figures").text(({ unit }) => figuresOf(units, unit));
      buttons
        .select(".unit-bars")
        .attr("d", ({ unit }) =>
          barsPath(units, unit, common ? tallest : tallestOf(units, unit), { width: WIDTH, height: BARS }),
        );
      buttons
        .select(".unit-profile")
        .attr("d", ({ unit }) => profilePath(units, unit, decades, { width: WIDTH, height: PROFILE }));
      parent.dataset.decades = String(decades);
      setEntry();
      this.mark(chosen);
    },
    mark(unit) {
      chosen = unit;
      all().attr("aria-pressed", (card) => String(card.unit === unit));
    },
  };
}

/** A share with its sign. */
const signed = (share: number) => (share < 0 ? `−${formatPercent(share)}` : formatPercent(share));
const steps = (count: number) => counted(count, "step", formatTick(count));

const figuresOf = ({ share, reach, agreement }: Units, unit: number) =>
  `${signed(share[unit])} · ${steps(reach[unit])} · ${formatNumber(agreement[unit], 2)}`;

const describeUnit = ({ size, share, reach, agreement }: Units, unit: number, rank: number) =>
  `Unit ${unit}, rank ${rank}: ${signed(share[unit])} of the gradient, norm ${formatNumber(size[unit])}, ` +
  `reaches back ${steps(reach[unit])}, agreement ${formatNumber(agreement[unit], 3)}`;
