/** Hidden units: those of a batch that are worth looking at, and a click that turns the panels to one of them. */

import { element, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import { createField } from "../controls/field";
import { createSegments } from "../controls/segments";
import type { Gestures, Panel } from "../figure/figure";
import { createInputs } from "../figure/inputs";
import { RANKING_TEXT, RANKINGS, type Ranking, rankUnits } from "../geometry/unit_ranking";
import { type Units, unitsOf } from "../protocol/chunks";
import type { Commands } from "../session/session";
import { nameOf, parseSurface } from "../state/surfaces";
import { formatCount } from "../words/format";
import { streamName } from "../words/streams";
import { createDirectionChoice } from "./direction_choice";
import { createFoldout } from "./foldout";
import { createPartNote } from "./part_note";
import { createUnitCards } from "./unit_cards";

/** As many cards are shown first, and come with every "more". */
const SOME = 12;
const TEASER = "which of them count, and what one of them alone receives";
const HINT =
  "Bars: what the unit’s rows of W_hh receive at each step. Line: how its pieces decay, later losses further left. " +
  "Figures: share of the gradient · how far it reaches back · how far its losses agree. A click shows the unit in the " +
  "panels above.";

export function createUnits(parent: HTMLElement, commands: Commands, gestures: Gestures): Panel {
  const parts = { name: "units" as const, title: "Hidden units", body: "units-body" };
  const { section, details, body, finding } = createFoldout(parent, parts, gestures);
  const directions = createDirectionChoice("Direction of the units", gestures.redraw);
  const select = element("select", { attributes: { "data-action": "rank-units" } });
  for (const ranking of RANKINGS) {
    const { option, title } = RANKING_TEXT[ranking];
    select.append(element("option", { text: option, attributes: { value: ranking, title } }));
  }
  select.addEventListener("change", gestures.redraw);
  let common = false;
  const scale = createSegments<"own" | "common">(
    "Scale of the bars",
    [
      { value: "own", text: "own scale", title: "Each unit’s tallest bar is as tall as its plot" },
      { value: "common", text: "common scale", title: "The bars of all units that are shown have one scale" },
    ],
    (value) => {
      common = value === "common";
      gestures.redraw();
    },
  );
  const back = createButton("all-units", "All units (Esc)", showAll, { title: "Show all units in the panels again" });
  const state = element("span", { class: "unit-state", attributes: { role: "status" } });
  const field = createField("Ranked by", select);
  const controls = element("div", { class: "unit-controls" }, directions.node, field, scale.node, back, state);
  const grid = element("div", { class: "unit-grid", attributes: { role: "group", "aria-label": "Hidden units" } });
  const more = createButton("more-units", "", () => {
    count += SOME;
    gestures.redraw();
  });
  const fewer = createButton("fewer-units", "Fewer", () => {
    count = SOME;
    gestures.redraw();
  });
  const hint = element("p", { class: "hint", text: HINT });
  const scales = element("p", { class: "hint" });
  const buttons = element("div", { class: "buttons" }, more, fewer);
  const content = element("div", { class: "part-content" }, hint, grid, scales, buttons);
  const note = createPartNote("The hidden units’ part", body, content);
  body.append(controls, ...note.nodes);

  const cards = createUnitCards(grid, choose);
  let count = SOME;
  const inputs = createInputs();
  let drawn = false;
  /** The surface that is chosen, and the one that was before a unit was. */
  let surface = "";
  let before: string | null = null;
  let suffix = "";

  function choose(unit: number) {
    if (unitOf(surface) === unit) return showAll();
    const { base } = parseSurface(surface);
    const plain = `${base === "jacobian" ? "W_hh" : base}${suffix}`;
    if (unitOf(surface) === null) before = surface;
    commands.choose("surface", `${plain}[${unit}]`);
    gestures.announce(`The panels show unit ${unit}.`);
  }

  function showAll() {
    if (unitOf(surface) === null) return;
    commands.choose("surface", before ?? nameOf({ ...parseSurface(surface), selector: null }));
    gestures.announce("The panels show all units.");
  }

  /** Escape leads back from wherever nothing else takes it. */
  parent.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || unitOf(surface) === null) return;
    event.preventDefault();
    event.stopPropagation();
    showAll();
  });

  function draw(units: Units, chosen: number | null) {
    const order = rankUnits(units, select.value as Ranking);
    const shown = order.slice(0, count).map((unit, index) => ({ unit, rank: index + 1 }));
    const rank = chosen === null ? -1 : order.indexOf(chosen);
    // The unit that the panels show is always there.
    if (chosen !== null && rank >= count) shown.unshift({ unit: chosen, rank: rank + 1 });
    cards.draw(units, shown, common);
    more.hidden = count >= units.units;
    fewer.hidden = count <= SOME;
    const next = Math.min(SOME, units.units - count);
    setText(more, `${formatCount(next)} more of ${formatCount(units.units)}`);
    setText(
      scales,
      `Lines go down from each unit’s largest piece, over ${grid.dataset.decades} powers of ten. ` +
        `Bars are on ${common ? "one scale" : "a scale of each unit’s own"}.`,
    );
  }

  return {
    wants(batch, { info, surface: shown, stream }) {
      if (!details.open) return null;
      return { batch, stream, part: unitsOf(`W_hh${directions.trackOf(shown, info).suffix}`) };
    },
    update({ state: shown, batch, why, width }) {
      const { info, stream } = shown;
      if (shown.surface !== surface && unitOf(shown.surface) === null) before = null;
      surface = shown.surface;
      const unit = unitOf(surface);
      back.hidden = unit === null;
      setText(state, unit === null ? "" : `The panels show unit ${unit} alone.`);
      if (!details.open) setText(finding, unit === null ? TEASER : `the panels show unit ${unit} alone`);
      if (!details.open || batch === null) return;
      ({ suffix } = directions.trackOf(surface, info));
      scale.set(common ? "common" : "own");
      const place = { batch, stream, part: unitsOf(`W_hh${suffix}`) };
      const units = shown.run.details.units(place);
      note.update(units ? null : { ...place, ...why(place) }, drawn, shown);
      if (!units) return;
      const named = [`batch ${formatCount(units.batch)}`, streamName(units.stream, info), suffix && units.surface];
      setText(finding, named.filter(Boolean).join(" · "));
      section.dataset.batch = String(units.batch);
      cards.mark(unit);
      const of = [units.size.buffer, units.batch, units.stream, suffix];
      if (!inputs.changed(...of, select.value, common, count, unit, width)) return;
      drawn = true;
      draw(units, unit);
    },
  };
}

/** The hidden unit that a surface is of; null if it is of all, or of a gate. */
function unitOf(surface: string): number | null {
  const selector = surface && parseSurface(surface).selector;
  return selector && /^\d+$/.test(selector) ? Number(selector) : null;
}
