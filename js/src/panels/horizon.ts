/** Panel 4: the pieces of one loss, straight below the steps that received them. */

import { scaleLinear } from "d3-scale";
import { describeDecay, piecesOf, type Received, strongestLoss } from "../decay";
import { setText } from "../dom";
import { type Figure, type Focus, focusedLoss, labelOf, type Panel, type Shown } from "../figure";
import { MEASURE_TEXT } from "../measures";
import { createFrame } from "./frame";
import { createSvg, drawValueAxis } from "./plot";

const TOP = 20;
const PLOT = 80;
const AXIS = 18;

export function createHorizon(parent: HTMLElement): Panel {
  const { section, hint } = createFrame(parent, "horizon", 4, "Gradient horizon", "");
  hint.classList.add("finding");
  const svg = createSvg(section, TOP + PLOT + AXIS).attr("role", "img");
  const valueAxis = svg.append("g").attr("class", "axis values");
  const bars = svg.append("g");
  const zeroLine = svg.append("line").attr("class", "zero-line");
  const lossMark = svg.append("path").attr("class", "loss-mark").attr("d", "M0,0l5,7h-10z");
  const lossTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("loss at");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  /** Hangs: larger values lie lower. */
  const scale = scaleLinear().range([TOP, TOP + PLOT]);
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };

  function draw(shown: Shown, labels: string[]) {
    const { snapshot, items, columns } = shown;
    const focused = focusedLoss(focus);
    const loss = Math.min(focused ?? strongestLoss(snapshot, items), snapshot.steps - 1);
    const pieces = piecesOf(loss, snapshot, items);
    drawBars(pieces, shown);
    section.classList.toggle("default", focused === null);
    lossMark.attr("transform", `translate(${columns.center(loss)},${TOP + PLOT + 4})`);
    lossTitle.attr("x", columns.left - 8).attr("y", TOP + PLOT + 15);
    const chosen = focused === null ? "strongest loss, at" : focus.target ? "loss at" : "pinned loss at";
    const label = (token: number) => `‘${labelOf(labels, token)}’`;
    const words =
      `The ${chosen} step ${loss} (predicted ${label(snapshot.prediction[loss])}, true ` +
      `${label(snapshot.target[loss])}): ${describeDecay(loss, snapshot)}.`;
    setText(hint, words);
    svg.attr("aria-label", words);
  }

  function drawBars(pieces: Received[], { columns }: Shown) {
    const finite = pieces.map(({ value }) => (Number.isFinite(value) ? value : 0));
    const [least, most] = [Math.min(0, ...finite), Math.max(0, ...finite)];
    scale.domain(most > least ? [least, most] : [0, 1]);
    drawValueAxis(valueAxis, scale, columns.left, columns.right, 3);
    bars
      .selectAll("rect")
      .data(pieces)
      .join("rect")
      .attr("class", "received")
      .attr("data-step", ({ step }) => step)
      .attr("x", ({ step }) => columns.barX(step))
      .attr("width", columns.barWidth)
      .attr("y", (_, index) => scale(Math.min(0, finite[index])))
      .attr("height", (_, index) => Math.abs(scale(finite[index]) - scale(0)));
    zeroLine.attr("x1", columns.left).attr("x2", columns.right).attr("y1", scale(0)).attr("y2", scale(0));
  }

  function redraw() {
    if (figure?.shown) draw(figure.shown, figure.state.labels);
  }

  return {
    update(next) {
      figure = next;
      svg.attr("width", next.width);
      title.text(`${MEASURE_TEXT[next.state.measure].value} of each piece of this loss, on its own scale`);
    },
    highlight(next) {
      focus = next;
      redraw();
    },
  };
}
