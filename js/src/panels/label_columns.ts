/** Labels of steps whose columns are wide enough for text. */

import type { Selection } from "d3-selection";
import { setAttributes, setText } from "../browser/dom";
import type { Shown } from "../figure/figure";
import type { Columns } from "../geometry/columns";
import { lossRooms } from "../geometry/loss_rooms";
import { hasLoss, isRight, labelOf } from "../words/outcomes";
import { ellipsis } from "../words/visible_text";
import { type Svg, withAttributes } from "./plot";

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
    const character = small ? SMALL_CHARACTER : CHARACTER;
    content.classed("small", small);
    const steps = Array.from({ length: columns.count }, (_, index) => columns.first + index);
    const there = (step: number) => hasLoss(snapshot, step);
    /** A long label spreads over steps before it that have no loss. */
    const rooms = new Map(lossRooms(snapshot, columns).map(({ step, room }) => [step, room]));
    const roomOf = (step: number) => rooms.get(step) ?? 0;
    const isLong = (label: string) => label.length * character > columns.width;
    function write(rows: Selection<SVGTextElement, number, SVGGElement, unknown>, tokens: ArrayLike<number>) {
      const label = (step: number) => (there(step) ? labelOf(labels, tokens[step]) : "");
      const spread = (step: number) => isLong(label(step)) && roomOf(step) > columns.width;
      rows.classed("spread", spread).each(function draw(step) {
        setAttributes(this, { x: spread(step) ? columns.width - 1 : columns.width / 2 });
        setText(this, ellipsis(label(step), Math.floor(roomOf(step) / character)));
      });
    }
    const right = (step: number) => isRight(snapshot, step);
    const kind = (step: number) => (!there(step) ? "lossless" : right(step) ? "right" : "wrong");
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
      .each(
        withAttributes((step) => ({
          "data-step": step,
          class: `step ${kind(step)}`,
          transform: `translate(${columns.x(step)},0)`,
        })),
      );
    groups.select<SVGElement>(".shade").each(withAttributes(() => ({ width: columns.width })));
    const cell = { x: columns.barX(columns.first) - columns.left, width: columns.barWidth(columns.first) };
    groups.select<SVGElement>(".cell").each(withAttributes(() => cell));
    write(groups.select(".target"), snapshot.target);
    write(groups.select(".prediction"), snapshot.prediction);
    groups.select<SVGElement>(".verdict").each(
      withAttributes((step) => ({
        d: !there(step) ? "" : right(step) ? TICK : CROSS,
        transform: `translate(${columns.width / 2},${2 * ROW + MARKS / 2 + 1})${verdictSize(columns)}`,
      })),
    );
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
