/** Panel 4: the pieces of one loss, straight below the steps that received them. */

import { pointer } from "d3-selection";
import { element, setText } from "../browser/dom";
import { createSegments } from "../controls/segments";
import type { Tooltip } from "../controls/tooltip";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import { describeDecay, fallsBelow, openingLoss, piecesOf, type Received, sends } from "../geometry/decay";
import { type Focus, focusedLoss } from "../geometry/focus";
import { logDomain, logTicks, sizeExtent } from "../geometry/log_axis";
import { scaleLinear, scaleLog } from "../geometry/scales";
import { stepsOf } from "../protocol/lags";
import { MEASURE_TEXT } from "../words/measures";
import { averageText, hasLoss, NO_LOSS, predictionText, targetText } from "../words/outcomes";
import { streamName } from "../words/streams";
import { distinctName, isJacobian, isState, receiverName, receiverSymbol, senderName } from "../words/surface_text";
import { createFrame } from "./frame";
import { describePart } from "./gradient_text";
import { createHorizonLines, laidOver } from "./horizon_lines";
import { horizonNotes } from "./horizon_notes";
import { createSvg, drawValueAxis, fittingText, onLeave, pathOf, rounded, withAttributes } from "./plot";
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
      chosenAxis = value;
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
  const lines = createHorizonLines(svg);
  const goneMarks = svg.append("g");
  const lossMark = svg.append("path").attr("class", "loss-mark").attr("d", "M0,0l5,7h-10z");
  const lossTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("loss at");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  /** Both hang: larger values lie lower. */
  const linear = scaleLinear().range([TOP, BASE]);
  const log = scaleLog().range([TOP, BASE]);
  let chosenAxis: Axis | null = null;
  let axis: Axis = "linear";
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };
  let opening: { of: Shown["items"]; loss: number } | null = null;
  /** The loss that is drawn. */
  let current = 0;

  /** Worked out once for each batch: it looks at every piece. */
  function openingOf({ snapshot, surface, items }: Shown): number {
    if (opening?.of !== items) opening = { of: items, loss: openingLoss(snapshot, surface, items) };
    return opening.loss;
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const step = figure?.shown?.columns.stepAt(pointer(event, svg.node())[0]) ?? null;
      const shown = figure?.shown;
      const reached = shown ? stepsOf(current, shown.snapshot.steps, shown.items) : { first: 0, end: 0 };
      const received = step !== null && step >= reached.first && step < reached.end;
      gestures.point(received ? { kind: "part", step, lag: current - step, panel: "horizon" } : null);
    })
    .on("click", () => {
      if (focus.target) gestures.pin(current);
    });
  onLeave(svg, () => gestures.point(null));
  makeZoomable(svg, gestures, () => figure?.shown ?? null);

  function draw(shown: Shown, { state, width }: Figure) {
    const { snapshot, surface, items, columns } = shown;
    const focused = focusedLoss(focus);
    current = Math.min(focused ?? openingOf(shown), snapshot.steps - 1);
    // A bound is a power of the lag: on a logarithmic axis a straight line.
    axis = chosenAxis ?? (items.bound ? "log" : "linear");
    const pieces = piecesOf(current, snapshot, items);
    const seen = pieces.filter(({ step }) => columns.has(step));
    const laid = laidOver(current, shown);
    const all = [pieces, ...laid.map(({ values }) => values)].flat();
    const extent = sizeExtent(Float64Array.from(all, ({ value }) => value));
    const scale = axis === "log" && extent ? drawLog(seen, extent, shown) : drawLinear(all, seen, shown);
    const onLog = axis === "log" && extent !== null;
    lines.draw(laid, columns, (value) => (onLog ? (value > 0 ? log(value) : Number.NaN) : linear(value)));
    zeroLine.attr("x1", columns.left).attr("x2", columns.right).attr("y1", scale).attr("y2", scale);
    drawGone(fallsBelow(current, snapshot, surface), shown);
    drawLossMark(shown);
    choice.set(axis);
    section.classList.toggle("default", focused === null);
    const sender = senderName(surface);
    lossTitle.text(`${sender} at`);
    title.text(fittingText(titlesOf(shown), width));
    const chosen =
      focused === null
        ? `${isJacobian(surface) ? "last" : "strongest"} ${sender}, at`
        : focus.target
          ? `${sender} at`
          : `pinned ${sender} at`;
    const decay = describeDecay(current, snapshot, surface);
    const beside = shown.companion && describeDecay(current, snapshot, shown.companion.surface, shown.companion.items);
    const words = [
      `The ${chosen} step ${current} (${describeStep(current, shown, state)}): ${decay}.`,
      beside && `Along ${receiverName(shown.companion?.surface ?? "")} (line): ${beside}.`,
    ]
      .filter(Boolean)
      .join(" ");
    nameStream(
      [distinctName(surface, state.info), streamName(snapshot.stream, state.info)].filter(Boolean).join(" · "),
    );
    setText(hint, words);
    svg.attr("aria-label", words);
    setText(note, horizonNotes(pieces, shown, axis === "log", sends(current, snapshot, items)));
  }

  function describeStep(step: number, { snapshot }: Shown, state: Figure["state"]): string {
    const { info } = state;
    const shownOf = streamName(snapshot.stream, info);
    if (snapshot.average) return `${shownOf}, ${averageText(snapshot, step, info)}`;
    const words = hasLoss(snapshot, step)
      ? `predicted ${predictionText(snapshot, step, state)}, true ${targetText(snapshot, step, state)}`
      : NO_LOSS;
    return shownOf ? `${shownOf}, ${words}` : words;
  }

  function drawBars(seen: Received[], { columns }: Shown, place: (value: number) => [y: number, height: number]) {
    const many = seen.length > MANY_BARS;
    bars
      .selectAll<SVGRectElement, Received>("rect")
      .data(many ? [] : seen)
      .join("rect")
      .each(
        withAttributes(({ step, value }) => ({
          class: value < 0 ? "received negative" : "received",
          "data-step": step,
          x: columns.barX(step),
          width: columns.barWidth(step),
          y: place(value)[0],
          height: place(value)[1],
        })),
      );
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

  /** From a mark outwards, to the left or to the right of the loss, it no longer reaches. */
  function drawGone(lags: number[], { columns }: Shown) {
    const seen = lags.filter((lag) => columns.has(current - lag));
    const marks = goneMarks
      .selectAll<SVGGElement, number>("g")
      .data(seen)
      .join((enter) => {
        const mark = enter.append("g").attr("class", "gone-mark");
        mark
          .append("line")
          .attr("y1", TOP - 10)
          .attr("y2", BASE);
        mark.append("text").attr("y", TOP - 13);
        return mark;
      });
    const place = (lag: number) => {
      const back = lag > 0;
      const x = back ? columns.x(current - lag + 1) - 0.5 : columns.x(current - lag) + 0.5;
      const [outside, inside] = back ? [x - columns.left, columns.right - x] : [columns.right - x, x - columns.left];
      const way = `${Math.abs(lag)} ${back ? "back" : "ahead"}`;
      const words = [`below 1 % of its largest from here, ${way}`, `below 1 %, ${way}`, `1 %: ${way}`];
      const two = seen.length > 1; // and what stands inwards of both would cover the other
      const room = two ? outside : Math.max(outside, inside);
      const fitting = words.find((text) => room > WORD_WIDTH * text.length);
      const text = fitting ?? words[two ? 2 : 1];
      // On the side that it speaks of, if there is room.
      const outwards = two || outside > WORD_WIDTH * text.length;
      const end = back === outwards;
      return { x, text, anchor: end ? "end" : "start", offset: end ? 3 : -3 };
    };
    marks.attr("transform", (lag) => `translate(${place(lag).x},0)`);
    marks
      .select("text")
      .attr("text-anchor", (lag) => place(lag).anchor)
      .attr("x", (lag) => place(lag).offset)
      .text((lag) => place(lag).text)
      .attr("data-lag", (lag) => lag);
  }

  /** What the bars and the lines are, from long to short. */
  function titlesOf({ surface, measure, items, companion }: Shown): string[] {
    const sender = senderName(surface);
    const bars = isJacobian(surface)
      ? "spectral norm ‖∂h_t/∂h_j‖"
      : `${MEASURE_TEXT[measure].value} of ${isState(surface) ? receiverSymbol(surface) : `each piece of this ${sender}`}`;
    const line = companion
      ? `; line: ${receiverSymbol(companion.surface)}`
      : items.bound
        ? "; line: bound (σ_max·γ)^lag"
        : "";
    const how = axis === "log" ? ", logarithmic, by size" : ", on its own scale";
    return [bars + line + how, bars + line, bars];
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
      svg.each(withAttributes(() => ({ width: next.width })));
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
