/** What went in and came out at a step, and its loss, in words: of classes, of values, and where there is no loss. */

import type { Snapshot } from "../protocol/chunks";
import type { Info } from "../protocol/contract";
import { formatLoss, formatNumber } from "./format";
import { countRight } from "./streams";
import { taskOf } from "./task";
import type { TooltipContent } from "./tooltip_content";
import { visible } from "./visible_text";

type Rows = TooltipContent["rows"];
/** What a step's words are made from. */
export interface Named {
  labels: string[];
  info: Info;
}

export const NO_LOSS = "no loss";

/** Whether a step has a loss; in an average, whether any stream has one there. */
export const hasLoss = ({ counted }: Snapshot, step: number) => counted === null || counted[step] > 0;

/** Whether the likeliest class is the true one. */
export const isRight = ({ target, prediction }: Snapshot, step: number) => target[step] === prediction[step];

/** "0.123 nats", or without a unit. */
export function lossText(loss: number, info: Info): string {
  const { loss_unit } = taskOf(info);
  return `${formatLoss(loss)}${loss_unit && ` ${loss_unit}`}`;
}

/** The loss of a batch: "0.123 nats per step". */
export function meanLossText(loss: number, info: Info): string {
  const { loss_unit } = taskOf(info);
  return `${formatLoss(loss)}${loss_unit && ` ${loss_unit} per step`}`;
}

/** A few digits of a number that stands in a column. */
export const shortNumber = (value: number) => formatNumber(value, 3);

/** One vector, or its entries by name if there are several. */
function vectorText(values: Float32Array, step: number, names: string[]): string {
  const size = Math.max(1, names.length);
  const entries = Array.from(values.subarray(step * size, (step + 1) * size), (value) => formatNumber(value));
  return size === 1 ? entries[0] : entries.map((entry, index) => `${names[index]} ${entry}`).join(", ");
}

const entryNames = (names: string[], size: number) =>
  names.length === size ? names : Array.from({ length: size }, (_, index) => String(index));

/** What a step is to say, as a name: ‘x’, 1.23, or that it has no loss. */
export function targetText(snapshot: Snapshot, step: number, { labels, info }: Named): string {
  if (!hasLoss(snapshot, step)) return NO_LOSS;
  const { values } = snapshot;
  if (values) return vectorText(values.target, step, entryNames(taskOf(info).output_entries, values.size));
  return `‘${labelOf(labels, snapshot.target[step])}’`;
}

/** What came out at a step. */
export function predictionText(snapshot: Snapshot, step: number, { labels, info }: Named): string {
  const { values } = snapshot;
  if (values) return vectorText(values.prediction, step, entryNames(taskOf(info).output_entries, values.size));
  return `‘${labelOf(labels, snapshot.prediction[step])}’`;
}

/** What went in at a step; empty if it is not known. */
export function inputText({ inputs, inputValues }: Snapshot, step: number, info: Info): string {
  const { input_vocabulary, input_entries } = taskOf(info);
  if (inputs) return `‘${labelOf(input_vocabulary, inputs[step])}’`;
  return inputValues ? vectorText(inputValues.values, step, entryNames(input_entries, inputValues.size)) : "";
}

/** Of an average: how its streams fared at a step. */
export function averageText(snapshot: Snapshot, step: number, info: Info): string {
  const { accuracy, counted } = snapshot;
  if (!hasLoss(snapshot, step)) return NO_LOSS;
  const streams = Math.round((counted?.[step] ?? 1) * info.batch_size);
  if (accuracy) return `${countRight(accuracy, step, info)} of ${streams} streams right`;
  return streams === info.batch_size ? `mean of ${streams} streams` : `${streams} streams with a loss`;
}

/** What a tooltip says of a step. */
export function describeOutcome(snapshot: Snapshot, step: number, named: Named): TooltipContent {
  const { info } = named;
  const input = snapshot.average ? "" : inputText(snapshot, step, info);
  const rows: Rows = input ? [["input", input]] : [];
  if (!hasLoss(snapshot, step)) {
    return { title: `Step ${step}: no loss here`, rows: [...rows, ["loss", "none: nothing is sent from here"]] };
  }
  const loss: Rows[number] = ["loss", lossText(snapshot.loss[step], info)];
  const probability = (): Rows =>
    Number.isFinite(snapshot.probability?.[step] ?? Number.NaN)
      ? [["probability of the true label", formatNumber(snapshot.probability?.[step] ?? 0)]]
      : [];
  if (snapshot.average) {
    return { title: `Step ${step}: ${averageText(snapshot, step, info)}`, rows: [...probability(), loss] };
  }
  if (snapshot.values) {
    const words: Rows = [
      ["true value", targetText(snapshot, step, named)],
      ["predicted", predictionText(snapshot, step, named)],
    ];
    return { title: `Step ${step}`, rows: [...rows, ...words, loss] };
  }
  const { labels } = named;
  return {
    title: `Step ${step}: ${isRight(snapshot, step) ? "right" : "wrong"}`,
    rows: [
      ...rows,
      ["true label", labelOf(labels, snapshot.target[step])],
      ["most likely", labelOf(labels, snapshot.prediction[step])],
      ...probability(),
      loss,
    ],
  };
}

/** Says of a window that only some of its steps have a loss; empty if all have. */
export function explainLosses(snapshot: Snapshot): string {
  const steps = Array.from({ length: snapshot.steps }, (_, step) => step);
  const there = steps.filter((step) => hasLoss(snapshot, step));
  if (there.length === snapshot.steps) return "";
  if (there.length === 0) return "No step of this window has a loss: nothing is sent.";
  const [first, last] = [there[0], there[there.length - 1]];
  const which =
    there.length === 1
      ? `Only step ${first} has a loss`
      : last - first + 1 === there.length
        ? `Only steps ${first}–${last} have a loss`
        : `Only ${there.length} of ${snapshot.steps} steps have a loss`;
  return `${which}: nothing is sent from the others, which is not vanishing.`;
}

/** A token as it is drawn. */
export const labelOf = (labels: string[], token: number) => visible(labels[token] ?? `#${token}`);
