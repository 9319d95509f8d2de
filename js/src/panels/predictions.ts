/** Panel 2: the true label of every step, and below it the model's most likely label. */

import { pointer } from "d3-selection";
import type { Columns } from "../columns";
import { type Figure, focusedLoss, type Gestures, labelOf, type Panel, type Shown } from "../figure";
import { formatLoss, formatNumber } from "../format";
import type { Tooltip } from "../tooltip";
import { ellipsis } from "../visible_text";
import { createFrame } from "./frame";
import { createSvg } from "./plot";

const ROW = 22;
const MARKS = 12;
const HEIGHT = 2 * ROW + MARKS + 2;
/** Width of one monospaced character, and of one in the smaller size of narrow columns. */
const CHARACTER = 8.2;
const SMALL_CHARACTER = 6.8;

const HINT =
  "The true label above, the most likely prediction below: ✓ right, × wrong. Hover a column to follow its loss.";

const TICK = "M-4,0L-1.5,3L4,-3";
const CROSS = "M-3,-3L3,3M-3,3L3,-3";

export function createPredictions(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const { section, hint } = createFrame(parent, "predictions", 2, "Targets and predictions", HINT);
  const svg = createSvg(section, HEIGHT).attr("role", "img").attr("aria-label", "True and predicted labels");
  const rowLabels = svg
    .selectAll("text.row-label")
    .data(["true", "predicted"])
    .join("text")
    .attr("class", "row-label")
    .attr("y", (_, row) => row * ROW + ROW / 2)
    .attr("text-anchor", "end")
    .text((name) => name);
  const content = svg.append("g");
  let figure: Figure | null = null;
  let columnNodes: SVGGElement[] = [];
  let caused: SVGGElement | null = null;

  const stepAt = (event: PointerEvent | MouseEvent) =>
    figure?.shown?.columns.stepAt(pointer(event, svg.node())[0]) ?? null;

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const step = stepAt(event);
      gestures.point(step === null ? null : { kind: "loss", step });
    })
    .on("pointerleave", (event: PointerEvent) => {
      if (event.pointerType !== "touch") gestures.point(null);
    })
    .on("click", (event: MouseEvent) => gestures.pin(stepAt(event)));

  function drawColumns({ snapshot, columns }: Shown, labels: string[]) {
    const small = columns.width < CHARACTER;
    const characters = Math.floor(columns.width / (small ? SMALL_CHARACTER : CHARACTER));
    content.classed("small", small);
    hint.textContent = characters > 0 ? HINT : `${HINT} The columns are too narrow for labels.`;
    const text = (token: number) => (characters > 0 ? ellipsis(labelOf(labels, token), characters) : "");
    const steps = Array.from({ length: snapshot.steps }, (_, step) => step);
    const right = (step: number) => snapshot.target[step] === snapshot.prediction[step];
    const groups = content
      .selectAll<SVGGElement, number>("g")
      .data(steps)
      .join((enter) => {
        const group = enter.append("g");
        group
          .append("rect")
          .attr("class", "shade")
          .attr("height", 2 * ROW);
        group
          .append("rect")
          .attr("class", "cell")
          .attr("y", ROW + 1)
          .attr("height", ROW - 2);
        group
          .append("text")
          .attr("class", "target")
          .attr("y", ROW / 2);
        group
          .append("text")
          .attr("class", "prediction")
          .attr("y", ROW * 1.5);
        group.append("path").attr("class", "verdict");
        return group;
      })
      .attr("data-step", (step) => step)
      .attr("class", (step) => `step ${right(step) ? "right" : "wrong"}`)
      .attr("transform", (step) => `translate(${columns.x(step)},0)`);
    groups.select(".shade").attr("width", columns.width);
    groups
      .select(".cell")
      .attr("x", columns.barX(0) - columns.x(0))
      .attr("width", columns.barWidth);
    groups
      .select(".target")
      .attr("x", columns.width / 2)
      .text((step) => text(snapshot.target[step]));
    groups
      .select(".prediction")
      .attr("x", columns.width / 2)
      .text((step) => text(snapshot.prediction[step]));
    groups
      .select(".verdict")
      .attr("d", (step) => (right(step) ? TICK : CROSS))
      .attr("transform", `translate(${columns.width / 2},${2 * ROW + MARKS / 2 + 1})${verdictSize(columns)}`);
    columnNodes = groups.nodes();
    caused = null;
  }

  const verdictSize = (columns: Columns) => (columns.width < 10 ? ` scale(${columns.width / 10})` : "");

  function showTooltip(step: number, { snapshot, columns }: Shown, labels: string[]) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const right = snapshot.target[step] === snapshot.prediction[step];
    tooltip.show(
      {
        title: `Step ${step}: ${right ? "right" : "wrong"}`,
        rows: [
          ["true label", labelOf(labels, snapshot.target[step])],
          ["most likely", labelOf(labels, snapshot.prediction[step])],
          ["probability of the true label", formatNumber(snapshot.probability[step])],
          ["loss", `${formatLoss(snapshot.loss[step])} nats`],
        ],
      },
      [{ left: frame.left + columns.x(step), right: frame.left + columns.x(step + 1) }],
      frame.top + ROW,
    );
  }

  return {
    update(next) {
      figure = next;
      if (!next.shown) return;
      svg.attr("width", next.width);
      rowLabels.attr("x", next.shown.columns.left - 8);
      drawColumns(next.shown, next.state.labels);
    },
    highlight(focus) {
      caused?.classList.remove("caused");
      const loss = focusedLoss(focus);
      caused = loss === null ? null : (columnNodes[loss] ?? null);
      caused?.classList.add("caused");
      if (figure?.shown && focus.target?.kind === "loss") {
        showTooltip(focus.target.step, figure.shown, figure.state.labels);
      }
    },
  };
}
