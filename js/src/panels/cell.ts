/** Inside the cell: the way that the gradient of one loss takes through the cell at one step, and at all others. */

import { element, OWN_KEYS, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import type { Tooltip } from "../controls/tooltip";
import type { Figure, Gestures, Panel } from "../figure/figure";
import { createInputs } from "../figure/inputs";
import { type LossFlow, lossFlow, type Spot, sizeAt, spotOf, within } from "../geometry/cell_flow";
import { type CellKind, kindOf } from "../geometry/cell_picture";
import { openingLoss } from "../geometry/decay";
import type { Focus } from "../geometry/focus";
import { shownDecades } from "../geometry/log_axis";
import { type CellFlow, cellOf } from "../protocol/chunks";
import { horizonOf } from "../protocol/lags";
import { formatCount, formatNumber, formatPercent } from "../words/format";
import { streamName } from "../words/streams";
import { sentence, type TooltipContent } from "../words/tooltip_content";
import { createCellDrawing, opacityOf, widthOf } from "./cell_drawing";
import { createCellStrips } from "./cell_strips";
import { describeSpot, edgeName, formulaOf, gradientName } from "./cell_words";
import { createDirectionChoice } from "./direction_choice";
import { createFoldout } from "./foldout";
import { answerKeys, walk } from "./keys";
import { createPartNote } from "./part_note";
import { makeSteerable } from "./plot";

/** Wider pages have the steps beside the picture. */
const BESIDE = 860;
const PICTURE_PART = 0.56;
const SPACE = 28;
/** In columns wider than this, steps would only be stretched. */
const WIDEST_STRIPS = 620;
const TEASER = "where a gradient survives, and where it dies";
const KEYS =
  "Left and right walk through the steps, Page Up and Down by ten, Home and End to the first and last that the loss " +
  "reaches; up and down read the edges; Escape lets go.";
const OWN_CELL = "There is no picture of this cell: only tanh, ReLU, LSTM and GRU have one. These are its edges.";
const NO_EDGES =
  "This cell does not say what flows inside it, so there is nothing to draw. LSTM, GRU, tanh and ReLU do.";

/** What is drawn, and what it was made from. */
interface Drawn {
  flow: CellFlow;
  kind: CellKind | null;
  opening: number;
  way: 1 | -1;
  sent: LossFlow | null;
}

export function createCell(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const parts = { name: "cell" as const, title: "Inside the cell", body: "cell-body" };
  const { section, details, body, finding } = createFoldout(parent, parts, gestures);
  const directions = createDirectionChoice("Direction of the cell", gestures.redraw);
  const button = (action: string, text: string, title: string, by: number) =>
    createButton(action, text, () => walkBy(by), { "aria-label": title, title, ...OWN_KEYS });
  const earlier = button("earlier", "‹", "One step earlier", -1);
  const later = button("later", "›", "One step later", 1);
  const slider = element("input", {
    attributes: { type: "range", "aria-label": "Step at which the cell is looked at", ...OWN_KEYS },
  });
  slider.addEventListener("input", () => walkTo(slider.valueAsNumber));
  const controls = element("div", { class: "cell-controls" }, directions.node, earlier, slider, later);
  for (const control of [earlier, later, slider]) {
    control.addEventListener("blur", () => gestures.point(null));
  }
  const words = element("p", { class: "hint finding" });
  const missing = element("p", { class: "hint" });
  const pictureArea = element("div");
  const stripArea = element("div");
  const legend = element("div", { class: "cell-legend" });
  const plots = element("div", { class: "cell-plots" }, pictureArea, stripArea);
  const content = element("div", { class: "part-content" }, controls, words, missing, plots, legend);
  const note = createPartNote("The flow inside the cell", body, content);
  body.append(...note.nodes);

  const picture = createCellDrawing(pictureArea, pointEdge);
  makeSteerable(picture.svg, KEYS);
  const strips = createCellStrips(
    stripArea,
    (at) => {
      edge = at?.edge ?? null;
      if (at) walkTo(at.step);
      else gestures.point(null);
    },
    () => {
      if (spot) gestures.pin(spot.loss);
    },
  );

  let figure: Figure | null = null;
  let drawn: Drawn | null = null;
  const inputs = createInputs();
  const inputsOfSpot = createInputs();
  let roomOfStrips = 0;
  let focus: Focus = { target: null, pinned: null };
  /** What was looked at last. */
  let kept: Spot | null = null;
  let spot: Spot | null = null;
  /** The edge that is pointed at. */
  let edge: string | null = null;

  function walkTo(step: number) {
    if (!drawn || !spot) return;
    const { loss } = spot;
    kept = { loss, step: within(step, loss, drawn.flow) };
    gestures.point({ kind: "part", step: kept.step, lag: loss - kept.step, panel: "cell" });
    gestures.settle();
  }

  const walkBy = (steps: number) => spot && walkTo(spot.step + steps);

  function pointEdge(name: string | null) {
    if (name === edge) return;
    edge = name;
    if (name === null) return gestures.point(null);
    walkBy(0);
    drawSpot();
    showTooltip();
  }

  picture.svg
    .on("blur", () => pointEdge(null))
    .on(
      "keydown",
      answerKeys(({ key }) => onKey(key)),
    );

  function onKey(key: string): boolean {
    if (!drawn || !spot) return false;
    const step = walk(key, spot.step, { last: drawn.flow.steps - 1 });
    if (step !== null) {
      walkTo(step);
      gestures.announce(edge ? sentence(describeEdge(edge)) : words.textContent);
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const names = drawn.flow.edges.map(({ name }) => name);
      const by = key === "ArrowDown" ? 1 : -1;
      const next = edge === null ? 0 : (names.indexOf(edge) + by + names.length) % names.length;
      pointEdge(names[next]);
      gestures.announce(sentence(describeEdge(names[next])));
    } else if (key === "Escape" && edge !== null) {
      pointEdge(null);
    } else return false;
    return true;
  }

  function describeEdge(name: string): TooltipContent {
    if (!drawn?.sent || !spot) return { title: name, rows: [] };
    const { flow, kind, way, sent } = drawn;
    const found = flow.edges.find((one) => one.name === name);
    const size = found ? sizeAt(found, spot, flow) : Number.NaN;
    const rows: TooltipContent["rows"] = [["norm", formatNumber(size, 6)]];
    if (sent.extent && Number.isFinite(size))
      rows.push(["of the largest of this loss", formatPercent(size / sent.extent[1])]);
    if (kind) rows.push([gradientName(name, kind, spot, way), formulaOf(name, kind, way)]);
    return { title: `${edgeName(name, kind)}, step ${spot.step}, loss of step ${spot.loss}`, rows };
  }

  function showTooltip() {
    const place = edge === null ? null : picture.placeOf(edge);
    if (edge === null || !place || place.width === 0) return;
    tooltip.show(describeEdge(edge), [place], place.top + place.height / 2);
  }

  function draw(flow: CellFlow, way: 1 | -1, opening: number, { width, state }: Figure) {
    const kind = kindOf(flow);
    drawn = { flow, kind, opening, way, sent: null };
    const beside = width >= BESIDE && kind !== null;
    pictureArea.hidden = kind === null;
    plots.hidden = flow.edges.length === 0;
    setText(missing, flow.edges.length === 0 ? NO_EDGES : kind ? "" : OWN_CELL);
    missing.hidden = kind !== null;
    const room = beside ? Math.floor(PICTURE_PART * width) : width;
    if (kind) picture.layOut(kind, kind === "elman" ? (state.info.cell ?? "f") : "", room, way);
    details.dataset.beside = String(beside);
    roomOfStrips = beside ? width - room - SPACE : Math.min(width, WIDEST_STRIPS);
  }
  /** Draws what the focus is on. */
  function drawSpot() {
    if (!drawn) return;
    const { flow, kind } = drawn;
    spot = spotOf(focus, kept, drawn.opening, flow);
    // What is pointed at elsewhere is looked at in passing, but for the loss that is pinned.
    if (focus.pinned === spot.loss && focus.target?.kind === "part") kept = spot;
    if (!inputsOfSpot.changed(drawn, spot.loss, spot.step, edge)) return;
    const again = drawn.sent?.loss === spot.loss;
    if (!again || !drawn.sent) drawn.sent = lossFlow(spot.loss, flow);
    const { sent } = drawn;
    const decades = shownDecades(sent.extent);
    if (!again) {
      strips.draw(flow.edges, kind, sent, decades, roomOfStrips);
      drawLegend(decades, flow);
      slider.min = String(sent.first);
      slider.max = String(sent.end - 1);
    }
    slider.value = String(spot.step);
    slider.setAttribute("aria-valuetext", `step ${spot.step}`);
    earlier.disabled = spot.step <= sent.first;
    later.disabled = spot.step >= sent.end - 1;
    const said = describeSpot(spot, flow, sent, kind);
    setText(words, said);
    picture.svg.attr("aria-label", `${said} ${KEYS}`).attr("data-step", spot.step).attr("data-loss", spot.loss);
    picture.draw(spot, sent, decades);
    picture.light(edge);
    strips.mark(spot, edge);
  }

  /** How wide and dark a line is, by what part of the largest gradient it stands for. */
  function drawLegend(decades: number, flow: CellFlow) {
    const swatches = [1, 2 / 3, 1 / 3, 0].map((part) => {
      const line = element("i");
      line.style.height = `${widthOf(part)}px`;
      line.style.opacity = String(opacityOf(part));
      const size = 10 ** ((part - 1) * decades);
      const label = part === 1 ? "largest" : formatPercent(size);
      return element("span", {}, line, part === 0 ? `${label} or less` : label);
    });
    const zero = element("span", {}, element("i", { class: "none" }), "exactly zero");
    legend.replaceChildren(
      element("span", { text: "Norm of this loss’s gradient along an edge:" }),
      ...swatches,
      zero,
      element("span", { text: "Arrows go its way: from the output to the inputs." }),
      ...(horizonOf(flow) < flow.steps ? [element("span", { text: describeReach(flow) })] : []),
    );
  }

  return {
    wants(batch, { info, surface, stream }) {
      if (!details.open) return null;
      return { batch, stream, part: cellOf(directions.trackOf(surface, info).suffix) };
    },
    update(next) {
      figure = next;
      const { state, batch, shown } = next;
      const { info } = state;
      if (!details.open) setText(finding, TEASER);
      if (!details.open || batch === null) return;
      const { suffix, way } = directions.trackOf(state.surface, info);
      const place = { batch, stream: state.stream, part: cellOf(suffix) };
      // It opens with the loss that panel 4 does: of the same batch.
      const flow = shown && state.run.details.cell(place);
      note.update(flow ? null : { ...place, ...next.why(place) }, drawn !== null, state);
      if (!flow) return;
      const told = [`batch ${formatCount(flow.batch)}`, streamName(flow.stream, info), suffix && `W_hh${suffix}`];
      setText(finding, told.filter(Boolean).join(" · "));
      const { snapshot, surface, items } = shown;
      const { buffer, byteOffset } = items.pieces;
      const of = [flow.edges[0]?.sizes.buffer, flow.batch, flow.stream, suffix, next.width];
      if (!inputs.changed(...of, surface, buffer, byteOffset)) return;
      draw(flow, way, Math.min(openingLoss(snapshot, surface, items), flow.steps - 1), next);
      section.dataset.batch = String(flow.batch);
      drawSpot();
    },
    explain({ target }) {
      if (details.open && drawn && target?.kind === "part" && target.panel === "cell") showTooltip();
    },
    highlight(next) {
      focus = next;
      if (next.target?.kind !== "part" || next.target.panel !== "cell") edge = null;
      if (details.open && figure?.batch !== null) drawSpot();
    },
  };
}

const describeReach = (flow: CellFlow) =>
  `Losses are followed over ${formatCount(horizonOf(flow))} of ${formatCount(flow.steps)} steps: more of such a window is too much for one answer.`;
