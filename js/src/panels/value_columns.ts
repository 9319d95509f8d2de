/** Targets and predictions that are numbers: as numbers where they fit, else as marks on one scale; the error's size. */

import type { Shown } from "../figure/figure";
import { lossRooms } from "../geometry/loss_rooms";
import type { Info } from "../protocol/contract";
import { hasLoss, shortNumber } from "../words/outcomes";
import { taskOf } from "../words/task";
import { MARKS, ROW } from "./label_columns";
import { pathOf, rounded, type Svg } from "./plot";
import { createStepMark } from "./step_mark";

const HEIGHT = 2 * ROW;
/** Room that one number takes. */
const NUMBER = 54;
/** Marks of a scale stay clear of its ends. */
const INSET = 4;
const TICK = 2;

export type ValueForm = "numbers" | "marks" | "errors";

export interface ValueColumns {
  /** Draws, or with null clears what was drawn; gives the form that has room. */
  draw(shown: Shown | null, info: Info): ValueForm;
  light(loss: number | null): void;
}

export function createValueColumns(svg: Svg): ValueColumns {
  const content = svg.append("g").attr("class", "value-columns");
  const ground = content.append("path").attr("class", "ground");
  const errors = content.append("path").attr("class", "error");
  const targets = content.append("path").attr("class", "true-value");
  const predictions = content.append("path").attr("class", "predicted-value");
  const sizes = content.append("path").attr("class", "error-size");
  const baseline = content.append("line").attr("class", "baseline");
  const numbers = content.append("g");
  const mark = createStepMark(content, "value-mark");
  let shown: Shown | null = null;

  function drawNumbers({ snapshot, columns }: Shown, there: number[]) {
    const { values } = snapshot;
    const made = there.flatMap((step) => [
      { step, row: 0, text: shortNumber(values?.target[step] ?? Number.NaN) },
      { step, row: 1, text: shortNumber(values?.prediction[step] ?? Number.NaN) },
    ]);
    numbers
      .selectAll<SVGTextElement, (typeof made)[number]>("text")
      .data(made)
      .join("text")
      .attr("class", ({ row }) => (row === 0 ? "true-number" : "predicted-number"))
      .attr("data-step", ({ step }) => step)
      .attr("x", ({ step }) => columns.x(step + 1) - 2)
      .attr("y", ({ row }) => (row + 0.5) * ROW)
      .text(({ text }) => text);
  }

  /** Targets and predictions on one scale, and what lies between them. */
  function drawMarks({ snapshot, columns }: Shown, there: number[]) {
    const { target, prediction, size } = snapshot.values ?? { target: [], prediction: [], size: 1 };
    const of = (values: ArrayLike<number>, step: number) =>
      Array.from({ length: size }, (_, entry) => values[step * size + entry]);
    const all = Array.from({ length: snapshot.steps }, (_, step) => step)
      .filter((step) => hasLoss(snapshot, step))
      .flatMap((step) => [...of(target, step), ...of(prediction, step)])
      .filter(Number.isFinite);
    const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
    const span = most - least || 1;
    const y = (value: number) => HEIGHT - INSET - ((value - least) / span) * (HEIGHT - 2 * INSET);
    const pairs = there.flatMap((step) =>
      of(target, step).map((value, entry) => ({ step, value, found: of(prediction, step)[entry] })),
    );
    const finite = pairs.filter(({ found }) => Number.isFinite(found));
    const [left, wide] = [(step: number) => columns.barX(step), (step: number) => columns.barWidth(step)];
    targets.attr(
      "d",
      pathOf(pairs, ({ step, value }) => [left(step), rounded(y(value) - TICK / 2), wide(step), TICK]),
    );
    predictions.attr(
      "d",
      finite
        .map(({ step, found }) => {
          const radius = Math.max(1, Math.min(3, wide(step) / 2));
          return `M${rounded(columns.center(step) - radius)},${rounded(y(found))}a${radius},${radius} 0 1 0 ${2 * radius},0a${radius},${radius} 0 1 0 ${-2 * radius},0`;
        })
        .join(""),
    );
    errors.attr(
      "d",
      pathOf(finite, ({ step, value, found }) => {
        const [top, bottom] = [Math.min(y(value), y(found)), Math.max(y(value), y(found))];
        return [left(step), rounded(top), wide(step), rounded(bottom - top)];
      }),
    );
  }

  /** How large the loss of each step is, beside the largest of the window and the baseline; gives the scale. */
  function drawSizes({ snapshot, columns }: Shown, there: number[], top: number, height: number, level: number) {
    const most = Math.max(level, ...snapshot.loss.filter(Number.isFinite)) || 1;
    const tall = (loss: number) => height * Math.sqrt(Math.min(1, loss / most));
    sizes.attr(
      "d",
      pathOf(
        there.filter((step) => Number.isFinite(snapshot.loss[step])),
        (step) => {
          const size = tall(snapshot.loss[step]);
          return [columns.barX(step), rounded(top + height - size), columns.barWidth(step), rounded(size)];
        },
      ),
    );
    return (loss: number) => top + height - tall(loss);
  }

  function drawSteps(next: Shown, info: Info): ValueForm {
    const { snapshot, columns } = next;
    const placed = lossRooms(snapshot, columns);
    const there = placed.map(({ step }) => step);
    ground.attr(
      "d",
      pathOf(there, (step) => [columns.barX(step), 0, columns.barWidth(step), HEIGHT]),
    );
    const fits = snapshot.values?.size === 1 && placed.every(({ room }) => room >= NUMBER);
    const form: ValueForm = snapshot.values ? (fits ? "numbers" : "marks") : "errors";
    drawNumbers(next, form === "numbers" ? there : []);
    drawMarks(next, form === "marks" ? there : []);
    const level = taskOf(info).baseline;
    const [top, height] = form === "errors" ? [0, HEIGHT] : [HEIGHT + 2, MARKS - 2];
    const place = drawSizes(next, there, top, height, level ?? 0);
    const drawn = form === "errors" && level !== null;
    baseline.classed("hidden", !drawn);
    if (drawn) {
      const y = Math.max(1, place(level));
      baseline.attr("x1", columns.left).attr("x2", columns.right).attr("y1", y).attr("y2", y);
    }
    return form;
  }

  return {
    draw(next, info) {
      shown = next;
      content.classed("hidden", !next);
      return next ? drawSteps(next, info) : "marks";
    },
    light: (loss) => mark.light(loss, shown, HEIGHT),
  };
}
