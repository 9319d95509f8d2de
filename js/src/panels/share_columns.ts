/** How many streams of a minibatch were right at each step: columns that fill up, and the numbers where they fit. */

import type { Shown } from "../figure/figure";
import type { Info } from "../protocol/contract";
import { hasLoss } from "../words/outcomes";
import { countRight } from "../words/streams";
import { MARKS, ROW } from "./label_columns";
import { pathOf, rounded, type Svg } from "./plot";
import { createStepMark } from "./step_mark";

const HEIGHT = 2 * ROW;
/** Width of one character of the numbers. */
const DIGIT = 6.4;

export interface ShareColumns {
  /** Draws, or with null clears what was drawn. */
  draw(shown: Shown | null, info: Info): void;
  light(loss: number | null): void;
}

export function createShareColumns(svg: Svg): ShareColumns {
  const content = svg.append("g").attr("class", "share-columns");
  const ground = content.append("path").attr("class", "shares wrong");
  const filled = content.append("path").attr("class", "shares right");
  const numbers = content.append("g");
  const mark = createStepMark(content, "share-mark");
  let shown: Shown | null = null;

  function drawSteps({ snapshot, columns }: Shown, info: Info) {
    const { accuracy, counted } = snapshot;
    const steps = Array.from({ length: columns.count }, (_, index) => columns.first + index).filter((step) =>
      hasLoss(snapshot, step),
    );
    const streams = (step: number) => Math.round((counted?.[step] ?? 1) * info.batch_size);
    const right = (step: number) => countRight(accuracy, step, info);
    const height = (step: number) => (right(step) / streams(step)) * HEIGHT;
    const path = (top: (step: number) => number, tall: (step: number) => number) =>
      pathOf(
        steps.filter((step) => tall(step) > 0),
        (step) => [columns.barX(step), rounded(top(step)), columns.barWidth(step), rounded(tall(step))],
      );
    ground.attr(
      "d",
      path(
        () => 0,
        (step) => HEIGHT - height(step),
      ),
    );
    filled.attr(
      "d",
      path((step) => HEIGHT - height(step), height),
    );
    const fits = DIGIT * `${info.batch_size}/${info.batch_size}`.length <= columns.width;
    numbers
      .selectAll<SVGTextElement, number>("text")
      .data(fits ? steps : [])
      .join("text")
      .attr("data-step", (step) => step)
      .attr("x", columns.center)
      .attr("y", HEIGHT + MARKS / 2 + 1)
      .text((step) => `${right(step)}/${streams(step)}`);
  }

  return {
    draw(next, info) {
      shown = next;
      content.classed("hidden", !next);
      if (next) drawSteps(next, info);
    },
    light: (loss) => mark.light(loss, shown, HEIGHT),
  };
}
