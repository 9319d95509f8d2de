/** Panel 3: the gradient that each step receives, stacked by how far in the future its loss lies. */

import { scaleLinear } from "d3-scale";
import { pointer } from "d3-selection";
import { type Figure, type Focus, focusedLoss, type Gestures, labelOf, type Panel, type Shown } from "../figure";
import { formatLoss, formatNumber, formatPercent } from "../format";
import { lagColor } from "../lag_colors";
import { MEASURE_TEXT } from "../measures";
import { lagsOf, type Part } from "../stack";
import type { Tooltip, TooltipContent } from "../tooltip";
import { createFrame } from "./frame";
import { createLagLegend } from "./lag_legend";
import { createSvg, defineHatch, drawValueAxis, makeSteerable } from "./plot";

const TOP = 22;
const PLOT = 200;
const AXIS = 20;
const BASE = TOP + PLOT;
/** A pointer this near to a bar's end still means the bar. */
const REACH = 4;
const STEP_TICK_DISTANCE = 24;
/** Windows with more parts than this leave out the parts that are too thin to be seen. */
const MANY_PARTS = 12_000;
const THIN = 0.1;

const HINT =
  "What each step receives: darkest from its own loss, lighter from later ones. Hover a part to see all that its " +
  "loss sent; click pins it.";
const ZERO_STATE = "h₀ = 0: no gradient to W_hh here; this is not vanishing.";

export function createGradients(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const { section, hint } = createFrame(parent, "gradients", 3, "Gradients per step", HINT);
  const legend = createLagLegend(section);
  const svg = createSvg(section, BASE + AXIS);
  makeSteerable(
    svg,
    "Gradients per step. Left and right change the step, up and down the lag; Enter pins a loss, Escape lets go.",
  );
  const hatch = defineHatch(svg, "beyond");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  const valueAxis = svg.append("g").attr("class", "axis values");
  const partGroup = svg.append("g");
  const beyondGroup = svg.append("g");
  const totalGroup = svg.append("g");
  const zeroLine = svg.append("line").attr("class", "zero-line");
  const stepAxis = svg.append("g").attr("class", "axis steps");
  const stepTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("step");
  const zeroNote = svg.append("text").attr("class", "zero-state").text("h₀ = 0 · not vanishing");
  zeroNote.append("title").text(ZERO_STATE);

  const scale = scaleLinear().range([BASE, TOP]);
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };
  /** Drawn part of step j and lag d, at `j * lags + d`. */
  let rects: SVGRectElement[] = [];
  let lit: Element[] = [];

  function partAt(event: PointerEvent | MouseEvent): Part | null {
    const shown = figure?.shown;
    if (!shown) return null;
    const [x, y] = pointer(event, svg.node());
    const step = shown.columns.stepAt(x);
    return step === null ? null : shown.stack.find(step, scale.invert(y), REACH * perPixel());
  }

  const perPixel = () => (scale.domain()[1] - scale.domain()[0]) / PLOT;

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const part = partAt(event);
      gestures.point(part && { kind: "part", step: part.step, lag: part.lag });
    })
    .on("pointerleave", (event: PointerEvent) => {
      if (event.pointerType !== "touch") gestures.point(null);
    })
    .on("blur", () => gestures.point(null))
    .on("click", (event: MouseEvent) => {
      const part = partAt(event);
      gestures.pin(part && part.lag !== null ? part.step + part.lag : null);
    })
    .on("keydown", (event: KeyboardEvent) => {
      if (!onKey(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });

  function onKey(key: string): boolean {
    gestures.settle();
    if (!figure?.shown) return false;
    const { target } = focus;
    if (key === "Escape") {
      gestures.point(null);
      gestures.pin(null);
      return true;
    }
    if (key === "Enter" || key === " ") {
      const loss = focusedLoss(focus);
      if (loss !== null) gestures.pin(loss);
      return loss !== null;
    }
    const moves: Record<string, [steps: number, lags: number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    if (!(key in moves)) return false;
    const { steps, lags } = figure.shown.stack;
    const from = target?.kind === "part" ? { step: target.step, lag: target.lag ?? 0 } : null;
    const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
    const step = from ? clamp(from.step + moves[key][0], steps) : clamp(focus.pinned ?? steps - 1, steps);
    const lag = from ? clamp(from.lag + moves[key][1], lagsOf(step, steps, lags)) : 0;
    gestures.point({ kind: "part", step, lag });
    const part = figure.shown.stack.part(step, lag);
    if (part) gestures.announce(sentence(tooltipOf(part, figure.shown, figure)));
    return true;
  }

  const top = (part: Part) => scale(part.high);
  const height = (part: Part) => scale(part.low) - scale(part.high);

  function drawParts({ stack, columns }: Shown) {
    const visible = stack.parts.length > MANY_PARTS ? stack.parts.filter((part) => height(part) > THIN) : stack.parts;
    const nodes = partGroup
      .selectAll<SVGRectElement, Part>("rect")
      .data(visible)
      .join("rect")
      .attr("class", "part")
      .attr("data-step", (part) => part.step)
      .attr("data-lag", (part) => part.lag)
      .attr("fill", (part) => lagColor(part.lag ?? 0))
      .attr("x", (part) => columns.barX(part.step))
      .attr("width", columns.barWidth)
      .attr("y", top)
      .attr("height", height)
      .nodes();
    rects = [];
    visible.forEach(({ step, lag }, index) => {
      rects[step * stack.lags + (lag ?? 0)] = nodes[index];
    });
    lit = [];
    beyondGroup
      .selectAll<SVGRectElement, Part>("rect")
      .data(stack.beyond)
      .join("rect")
      .attr("class", "beyond")
      .attr("data-step", (part) => part.step)
      .attr("fill", hatch)
      .attr("x", (part) => columns.barX(part.step))
      .attr("width", columns.barWidth)
      .attr("y", top)
      .attr("height", height);
    totalGroup
      .selectAll<SVGRectElement, number>("rect")
      .data(Array.from(stack.total))
      .join("rect")
      .attr("class", "total")
      .attr("data-step", (_, step) => step)
      .attr("x", (_, step) => columns.barX(step) - 1)
      .attr("width", columns.barWidth + 2)
      .attr("y", (value) => scale(Number.isFinite(value) ? value : 0) - 1)
      .attr("height", 2);
  }

  function drawSteps({ columns }: Shown) {
    const every = [1, 2, 5, 10, 20, 50, 100].find((interval) => interval * columns.width >= STEP_TICK_DISTANCE) ?? 200;
    const ticks = Array.from({ length: Math.ceil(columns.count / every) }, (_, index) => index * every);
    stepAxis
      .selectAll("text")
      .data(ticks)
      .join("text")
      .attr("x", (step) => columns.center(step))
      .attr("y", BASE + 14)
      .text((step) => step);
    stepTitle.attr("x", columns.left - 8).attr("y", BASE + 14);
    zeroLine.attr("x1", columns.left).attr("x2", columns.right).attr("y1", scale(0)).attr("y2", scale(0));
  }

  function drawNotes({ snapshot, columns, stack }: Shown) {
    zeroNote
      .classed("hidden", !snapshot.zeroState || columns.width < 12)
      .attr("transform", `translate(${columns.center(0) + 3},${scale(0) - 6}) rotate(-90)`);
    const notes = [HINT];
    if (snapshot.zeroState) notes.push(`At step 0, ${ZERO_STATE}`);
    if (stack.incomplete) notes.push("Values that are not finite cannot be drawn and are left out.");
    else if (stack.extent[0] === stack.extent[1]) notes.push("Every piece of this batch is zero.");
    hint.textContent = notes.join(" ");
  }

  function tooltipOf(part: Part, { snapshot, stack, items }: Shown, { state }: Figure): TooltipContent {
    const { step, lag } = part;
    const name = (at: number) => `step ${at}, ‘${labelOf(state.labels, snapshot.target[at])}’`;
    const value = lag === null ? items.beyond[step] : items.pieces[step * stack.lags + lag];
    let bar = Math.abs(items.beyond[step]);
    for (let at = 0; at < lagsOf(step, stack.steps, stack.lags); at += 1) {
      bar += Math.abs(items.pieces[step * stack.lags + at]);
    }
    const numbers: TooltipContent["rows"] = [
      [MEASURE_TEXT[state.measure].value, formatNumber(value)],
      ["part of the bar", bar > 0 ? formatPercent(value / bar) : "—"],
      [MEASURE_TEXT[state.measure].total, formatNumber(items.total[step])],
    ];
    if (lag === null) {
      return {
        title: `Beyond the ${stack.lags} recorded lags`,
        rows: [["received by", name(step)], ["sent by", `losses ${stack.lags} or more steps later`], ...numbers],
      };
    }
    const loss = step + lag;
    return {
      title: lag === 0 ? "Own loss (lag 0)" : `Loss ${lag} ${lag === 1 ? "step" : "steps"} later (lag ${lag})`,
      rows: [
        ["received by", name(step)],
        ["sent by the loss at", name(loss)],
        ["predicted there", `‘${labelOf(state.labels, snapshot.prediction[loss])}’`],
        ["that loss", `${formatLoss(snapshot.loss[loss])} nats`],
        ...numbers,
      ],
    };
  }

  function showTooltip(part: Part, shown: Shown, of: Figure) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const span = (first: number, last: number) => ({
      left: frame.left + shown.columns.x(first),
      right: frame.left + shown.columns.x(last + 1),
    });
    const loss = part.step + (part.lag ?? 0);
    // Beside all that is highlighted if there is room, else beside the part itself.
    const spans = [span(Math.max(0, loss - shown.stack.lags + 1), loss), span(part.step, part.step)];
    tooltip.show(tooltipOf(part, shown, of), spans, frame.top + TOP + PLOT / 2);
  }

  return {
    update(next) {
      figure = next;
      if (!next.shown) return;
      const [least, most] = next.shown.stack.extent;
      scale.domain(most > least ? [least, most] : [0, 1]);
      svg.attr("width", next.width);
      title.text(MEASURE_TEXT[next.state.measure].axis);
      drawValueAxis(valueAxis, scale, next.shown.columns.left, next.shown.columns.right, 5);
      drawParts(next.shown);
      drawSteps(next.shown);
      drawNotes(next.shown);
      const { stack, items } = next.shown;
      const beyond = items.beyond.some((value) => value !== 0);
      legend.update(stack.lags, beyond, MEASURE_TEXT[next.state.measure].total);
    },
    highlight(next) {
      focus = next;
      for (const node of lit) node.classList.remove("same-loss", "pointed");
      lit = [];
      if (!figure?.shown) return;
      const { stack } = figure.shown;
      const light = (node: Element | null | undefined, name: string) => {
        if (!node) return;
        node.classList.add(name);
        lit.push(node);
      };
      const loss = focusedLoss(focus);
      if (loss !== null) {
        for (let lag = 0; lag < Math.min(stack.lags, loss + 1); lag += 1) {
          light(rects[(loss - lag) * stack.lags + lag], "same-loss");
        }
      }
      if (focus.target?.kind !== "part") return;
      const { step, lag } = focus.target;
      const beyondNode = beyondGroup.node()?.children[step];
      light(lag === null ? beyondNode : rects[step * stack.lags + lag], "pointed");
      const part = stack.part(step, lag);
      if (part) showTooltip(part, figure.shown, figure);
    },
  };
}

const sentence = ({ title, rows }: TooltipContent) =>
  `${title}. ${rows.map(([label, value]) => `${label}: ${value}`).join("; ")}.`;
