/** Panel 4: the pieces of one loss, straight below the steps that received them. */

import { scaleLinear, scaleLog } from "d3-scale";
import { pointer } from "d3-selection";
import { describeDecay, fallsBelow, piecesOf, type Received, strongestLoss } from "../decay";
import { element, setText } from "../dom";
import { type Figure, type Focus, focusedLoss, type Gestures, labelOf, type Panel, type Shown } from "../figure";
import { stepsOf } from "../lags";
import { logDomain, logTicks, sizeExtent } from "../log_axis";
import { MEASURE_TEXT } from "../measures";
import { createSegments } from "../segments";
import { rightText, streamName } from "../streams";
import type { Tooltip } from "../tooltip";
import { createFrame } from "./frame";
import { describePart } from "./gradient_text";
import { horizonNotes } from "./horizon_notes";
import { createSvg, drawValueAxis, pathOf, rounded } from "./plot";
import { makeZoomable } from "./zoomable";

const TOP = 40;
const PLOT = 100;
const AXIS = 18;
const BASE = TOP + PLOT;
/** A piece that is there is seen, however small. */
const HAIRLINE = 0.5;
/** More bars than this are drawn as one path. */
const MANY_BARS = 128;
/** Room that a character takes, at most. */
const WORD_WIDTH = 6;
/** How tall the mark of an exact zero is. */
const NOUGHT = 4;

type Axis = "linear" | "log";

export function createHorizon(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const { section, head, hint, nameStream } = createFrame(parent, "horizon", 4, "Gradient horizon", "");
  hint.classList.add("finding");
  const choice = createSegments<Axis>(
    "Axis of panel 4",
    [
      { value: "linear", text: "linear", title: "Lengths in proportion to the gradient" },
      { value: "log", text: "log", title: "Powers of ten: down to the smallest number there is" },
    ],
    (value) => {
      axis = value;
      redraw();
    },
  );
  head.insertBefore(choice.node, hint);
  const svg = createSvg(section, BASE + AXIS).attr("role", "img");
  const note = element("p", { class: "axis-note" });
  section.append(note);
  const valueAxis = svg.append("g").attr("class", "axis values");
  const bars = svg.append("g");
  const noughts = svg.append("path").attr("class", "noughts");
  const zeroLine = svg.append("line").attr("class", "zero-line");
  const goneMark = svg.append("g").attr("class", "gone-mark");
  goneMark
    .append("line")
    .attr("y1", TOP - 10)
    .attr("y2", BASE);
  const goneText = goneMark.append("text").attr("y", TOP - 13);
  const lossMark = svg.append("path").attr("class", "loss-mark").attr("d", "M0,0l5,7h-10z");
  const lossTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("loss at");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  /** Both hang: larger values lie lower. */
  const linear = scaleLinear().range([TOP, BASE]);
  const log = scaleLog().range([TOP, BASE]);
  let axis: Axis = "linear";
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };
  let strongest: { of: Shown["items"]; loss: number } | null = null;
  /** The loss that is drawn. */
  let current = 0;

  /** Worked out once for each batch: it looks at every piece. */
  function strongestOf({ snapshot, items }: Shown): number {
    if (strongest?.of !== items) strongest = { of: items, loss: strongestLoss(snapshot, items) };
    return strongest.loss;
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const step = figure?.shown?.columns.stepAt(pointer(event, svg.node())[0]) ?? null;
      const shown = figure?.shown;
      const reached = shown ? stepsOf(current, shown.snapshot.steps, shown.items) : { first: 0, end: 0 };
      const received = step !== null && step >= reached.first && step < reached.end;
      gestures.point(received ? { kind: "part", step, lag: current - step, panel: "horizon" } : null);
    })
    .on("pointerleave", (event: PointerEvent) => {
      if (event.pointerType !== "touch") gestures.point(null);
    })
    .on("click", () => {
      if (focus.target) gestures.pin(current);
    });
  makeZoomable(svg, gestures, () => figure?.shown ?? null);

  function draw(shown: Shown, { state }: Figure) {
    const { snapshot, surface, items, columns } = shown;
    const focused = focusedLoss(focus);
    current = Math.min(focused ?? strongestOf(shown), snapshot.steps - 1);
    const pieces = piecesOf(current, snapshot, items);
    const seen = pieces.filter(({ step }) => columns.has(step));
    const extent = sizeExtent(Float64Array.from(pieces, ({ value }) => value));
    const scale = axis === "log" && extent ? drawLog(seen, extent, shown) : drawLinear(pieces, seen, shown);
    zeroLine.attr("x1", columns.left).attr("x2", columns.right).attr("y1", scale).attr("y2", scale);
    drawGone(fallsBelow(current, snapshot, surface), shown);
    drawLossMark(shown);
    choice.set(axis);
    section.classList.toggle("default", focused === null);
    title.text(
      `${MEASURE_TEXT[shown.measure].value} of each piece of this loss, ` +
        `${axis === "log" ? "logarithmic, by size" : "on its own scale"}`,
    );
    const chosen = focused === null ? "strongest loss, at" : focus.target ? "loss at" : "pinned loss at";
    const words = `The ${chosen} step ${current} (${describeStep(current, shown, state)}): ${describeDecay(current, snapshot, surface)}.`;
    nameStream(streamName(snapshot.stream, state.info));
    setText(hint, words);
    svg.attr("aria-label", words);
    setText(note, horizonNotes(pieces, shown, axis === "log"));
  }

  function describeStep(step: number, { snapshot }: Shown, { labels, info }: Figure["state"]): string {
    const shownOf = streamName(snapshot.stream, info);
    if (snapshot.accuracy) return `${shownOf}, ${rightText(snapshot.accuracy, step, info)}`;
    const label = (token: number) => `‘${labelOf(labels, token)}’`;
    const words = `predicted ${label(snapshot.prediction[step])}, true ${label(snapshot.target[step])}`;
    return shownOf ? `${shownOf}, ${words}` : words;
  }

  function drawBars(seen: Received[], { columns }: Shown, place: (value: number) => [y: number, height: number]) {
    const many = seen.length > MANY_BARS;
    bars
      .selectAll<SVGRectElement, Received>("rect")
      .data(many ? [] : seen)
      .join("rect")
      .attr("class", ({ value }) => (value < 0 ? "received negative" : "received"))
      .attr("data-step", ({ step }) => step)
      .attr("x", ({ step }) => columns.barX(step))
      .attr("width", ({ step }) => columns.barWidth(step))
      .attr("y", ({ value }) => place(value)[0])
      .attr("height", ({ value }) => place(value)[1]);
    const signs = [seen.filter(({ value }) => value > 0), seen.filter(({ value }) => value < 0)];
    bars
      .selectAll<SVGPathElement, Received[]>("path")
      .data(many ? signs : [])
      .join("path")
      .attr("class", (_, index) => (index === 1 ? "received negative" : "received"))
      .attr("d", (some) =>
        pathOf(some, ({ step, value }) => {
          const [y, height] = place(value);
          return [columns.barX(step), rounded(y), columns.barWidth(step), rounded(height)];
        }),
      );
  }

  /** Draws and gives the place of the axis. */
  function drawLinear(pieces: Received[], seen: Received[], shown: Shown): number {
    const { columns } = shown;
    const finite = pieces.map(({ value }) => (Number.isFinite(value) ? value : 0));
    const [least, most] = [Math.min(0, ...finite), Math.max(0, ...finite)];
    linear.domain(most > least ? [least, most] : [0, 1]);
    drawValueAxis(valueAxis, linear, columns.left, columns.right, 3);
    drawBars(seen, shown, (value) => {
      const size = Number.isFinite(value) ? value : 0;
      return [linear(Math.min(0, size)), Math.abs(linear(size) - linear(0))];
    });
    noughts.attr("d", "");
    return linear(0);
  }

  function drawLog(seen: Received[], extent: [number, number], shown: Shown): number {
    const { columns } = shown;
    const domain = logDomain(extent);
    log.domain(domain);
    drawValueAxis(valueAxis, log, columns.left, columns.right, logTicks(domain, 5));
    drawBars(seen, shown, (value) => {
      const shownAt = Number.isFinite(value) && value !== 0;
      return [TOP, shownAt ? Math.max(HAIRLINE, log(Math.abs(value)) - TOP) : 0];
    });
    const zeros = seen.filter(({ value }) => value === 0);
    noughts.attr(
      "d",
      pathOf(zeros, ({ step }) => [columns.barX(step), TOP - NOUGHT, columns.barWidth(step), NOUGHT - 1]),
    );
    return TOP;
  }

  /** From the mark to the left, the loss no longer reaches. */
  function drawGone(lag: number | null, { columns }: Shown) {
    const step = lag === null ? null : current - lag;
    goneMark.classed("hidden", step === null || !columns.has(step));
    if (step === null || lag === null) return;
    const x = columns.x(step + 1) - 0.5;
    const words = [`below 1 % of its largest from here, ${lag} back`, `below 1 %, ${lag} back`];
    const [before, after] = [x - columns.left, columns.right - x];
    const long = Math.max(before, after) > WORD_WIDTH * words[0].length;
    // On the side that it speaks of, if there is room.
    const ahead = before > WORD_WIDTH * words[long ? 0 : 1].length;
    goneMark.attr("transform", `translate(${x},0)`);
    goneText
      .attr("text-anchor", ahead ? "end" : "start")
      .attr("x", ahead ? 3 : -3)
      .text(words[long ? 0 : 1])
      .attr("data-lag", lag);
  }

  function drawLossMark({ columns }: Shown) {
    const end = columns.first + columns.count;
    const x = current < columns.first ? columns.left : current >= end ? columns.right : columns.center(current);
    const turn = current < columns.first ? -90 : current >= end ? 90 : 0;
    lossMark.attr("transform", `translate(${x},${BASE + (turn ? 9 : 4)}) rotate(${turn})`);
    lossTitle.attr("x", columns.left - 8).attr("y", BASE + 15);
  }

  function showTooltip(step: number, lag: number | null, shown: Shown, { state }: Figure) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const { columns } = shown;
    const span = { left: frame.left + columns.x(step), right: frame.left + columns.x(step + 1) };
    tooltip.show(describePart(step, lag, shown, state), [span], frame.top + TOP + PLOT / 2);
  }

  function redraw() {
    if (figure?.shown) draw(figure.shown, figure);
  }

  return {
    update(next) {
      figure = next;
      svg.attr("width", next.width);
    },
    explain({ target }) {
      if (!figure?.shown || target?.kind !== "part" || target.panel !== "horizon") return;
      if (figure.shown.columns.has(target.step)) showTooltip(target.step, target.lag, figure.shown, figure);
    },
    highlight(next) {
      focus = next;
      redraw();
    },
  };
}
