/** Labels of steps whose columns are wide enough for text. */

import type { Columns } from "../columns";
import { labelOf, type Shown } from "../figure";
import { ellipsis } from "../visible_text";
import type { Svg } from "./plot";

export const ROW = 22;
export const MARKS = 12;
/** Width of one monospaced character, and of one in the smaller size of narrow columns. */
export const CHARACTER = 8.2;
export const SMALL_CHARACTER = 6.8;

const TICK = "M-4,0L-1.5,3L4,-3";
const CROSS = "M-3,-3L3,3M-3,3L3,-3";

export interface LabelForm {
  /** Draws, or with null clears what was drawn. */
  draw(shown: Shown | null, labels: string[]): void;
}

export interface LabelColumns extends LabelForm {
  light(loss: number | null): void;
}

const verdictSize = (columns: Columns) => (columns.width < 10 ? ` scale(${columns.width / 10})` : "");

export function createLabelColumns(svg: Svg): LabelColumns {
  const content = svg.append("g");
  /** One for each step in view. */
  let nodes: SVGGElement[] = [];
  let first = 0;
  let caused: SVGGElement | null = null;

  function drawSteps({ snapshot, columns }: Shown, labels: string[]) {
    const small = columns.width < CHARACTER;
    const characters = Math.floor(columns.width / (small ? SMALL_CHARACTER : CHARACTER));
    content.classed("small", small);
    const text = (token: number) => ellipsis(labelOf(labels, token), characters);
    const steps = Array.from({ length: columns.count }, (_, index) => columns.first + index);
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
      .attr("x", columns.barX(columns.first) - columns.left)
      .attr("width", columns.barWidth(columns.first));
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
    nodes = groups.nodes();
    first = columns.first;
  }

  return {
    draw(shown, labels) {
      caused = null;
      if (shown) {
        drawSteps(shown, labels);
      } else {
        content.selectAll("g").remove();
        nodes = [];
      }
    },
    light(loss) {
      caused?.classList.remove("caused");
      caused = loss === null ? null : (nodes[loss - first] ?? null);
      caused?.classList.add("caused");
    },
  };
}
