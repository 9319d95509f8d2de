/** Steps whose columns are too narrow for labels: right and wrong as a strip, and the text around one step at a time. */

import type { Shown } from "../figure/figure";
import { hasLoss, isRight, labelOf } from "../words/outcomes";
import { CHARACTER, type LabelForm, MARKS, ROW } from "./label_columns";
import { fittingText, pathOf, type Svg } from "./plot";

/** Steps on either side whose labels are read with the one pointed at. */
const AROUND = 16;
const CELL = CHARACTER + 2;
const STRIP = 2 * ROW + 2;
const INVITATIONS = [
  "Point at a step, here or below, to read the text around it.",
  "Point at a step to read its text.",
  "Point at a step.",
];

export interface LabelStrip extends LabelForm {
  /** Marks the loss, and shows the text around a step. */
  light(loss: number | null, around: number | null): void;
}

interface Letter {
  step: number;
  row: number;
  x: number;
  text: string;
  right: boolean;
}

export function createLabelStrip(svg: Svg): LabelStrip {
  const content = svg.append("g").attr("class", "label-strip");
  const right = content.append("path").attr("class", "verdicts right");
  const wrong = content.append("path").attr("class", "verdicts wrong");
  const mark = content
    .append("rect")
    .attr("class", "place")
    .attr("y", STRIP)
    .attr("height", MARKS - 1);
  const guide = content.append("path").attr("class", "guide");
  const ground = content
    .append("rect")
    .attr("class", "lens")
    .attr("height", 2 * ROW);
  const letters = content.append("g").attr("class", "letters");
  const invitation = content.append("text").attr("class", "invite").attr("y", ROW);
  let shown: Shown | null = null;
  let names: string[] = [];

  function drawStrip({ snapshot, columns }: Shown) {
    const steps = Array.from({ length: columns.count }, (_, index) => columns.first + index);
    const path = (wanted: boolean, top: number, height: number) =>
      pathOf(
        steps.filter((step) => hasLoss(snapshot, step) && isRight(snapshot, step) === wanted),
        (step) => [columns.barX(step), top, columns.barWidth(step), height],
      );
    right.attr("d", path(true, STRIP + MARKS - 5, 4));
    wrong.attr("d", path(false, STRIP, MARKS - 1));
    invitation.attr("x", columns.left).text(fittingText(INVITATIONS, columns.right - columns.left));
  }

  /** The text around a step, as near to its column as the edges allow, and a guide to the column. */
  function drawLens({ snapshot, columns }: Shown, around: number) {
    const limit = svg.node()?.width.baseVal.value ?? columns.right;
    const count = Math.min(2 * AROUND + 1, snapshot.steps, Math.floor((limit - columns.left) / CELL));
    const from = Math.max(0, Math.min(snapshot.steps - count, around - Math.floor(count / 2)));
    const wanted = columns.center(around) - (around - from + 0.5) * CELL;
    const left = Math.max(columns.left, Math.min(limit - count * CELL, wanted));
    const made: Letter[] = [];
    for (let step = from; step < from + count; step += 1) {
      const x = left + (step - from + 0.5) * CELL;
      const tokens = [snapshot.target[step], snapshot.prediction[step]];
      tokens.forEach((token, row) => {
        const label = hasLoss(snapshot, step) ? labelOf(names, token) : "·";
        const text = label.length > 1 && Array.from(label).length > 1 ? "…" : label;
        made.push({ step, row, x, text, right: tokens[0] === tokens[1] });
      });
    }
    letters
      .selectAll<SVGTextElement, Letter>("text")
      .data(made)
      .join((enter) => enter.append("text").attr("y", ({ row }) => (row + 0.5) * ROW))
      .attr("class", ({ step, row, right: isRight }) =>
        [row === 0 ? "target" : isRight ? "right" : "wrong", step === around ? "around" : ""].join(" "),
      )
      .attr("x", ({ x }) => x)
      .text(({ text }) => text);
    const at = left + (around - from) * CELL;
    ground.attr("x", at).attr("width", CELL);
    const center = columns.center(around);
    guide.attr("d", `M${at},${2 * ROW}h${CELL}L${center + 0.5},${STRIP}h-1Z`);
  }

  return {
    draw(next, labels) {
      shown = next;
      names = labels;
      content.classed("hidden", !next);
      if (next) drawStrip(next);
    },
    light(loss, around) {
      if (!shown) return;
      const { columns } = shown;
      const marked = loss !== null && columns.has(loss);
      mark.classed("hidden", !marked);
      if (marked) mark.attr("x", columns.barX(loss)).attr("width", columns.barWidth(loss));
      const seen = around !== null && columns.has(around);
      for (const part of [letters, ground, guide]) part.classed("hidden", !seen);
      invitation.classed("hidden", seen);
      if (seen) drawLens(shown, around);
    },
  };
}
