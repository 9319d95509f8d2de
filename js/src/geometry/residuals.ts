/** What each horizon leaves out, as a plot and in words: pure functions. */

import type { AxisScale } from "d3-axis";
import type { HorizonChoice, SettingValue } from "../protocol/contract";
import { counted, formatCount, formatNumber, formatPercent, formatTick } from "../words/format";
import { createHeatScale } from "./heat_scale";
import { logDomain, logTicks, sizeExtent } from "./log_axis";
import { scaleLinear, scaleLog } from "./scales";

/** Longer windows have a logarithmic axis of k: what is near stays apart, and what is far still has a place. */
const LONG = 64;
/** Ticks are at least this many pixels apart. */
const Y_DISTANCE = 18;
const X_DISTANCE = 26;
/** Beyond this many decades ticks are chosen by their place, not by their number. */
const FEW_DECADES = 6;
const Y_TICKS = 5;
/** Smaller parts are told as numbers: in percent they would all read alike. */
const LEAST_PERCENT = 1e-4;

export interface ResidualLayout {
  /** The longest horizon: the whole window. */
  longest: number;
  logarithmic: boolean;
  x(k: number): number;
  /** The k whose place is nearest. */
  kAt(x: number): number;
  /** Where a part above zero lies; null for zero and for what is not finite, which no logarithmic axis has. */
  y(part: number | null): number | null;
  yAxis: AxisScale<number>;
  xTicks: number[];
  yTicks: number[];
}

export function layOutResiduals(
  { residual, tolerance }: HorizonChoice,
  [left, right]: [number, number],
  [base, top]: [number, number],
): ResidualLayout {
  const longest = residual.length - 1;
  const logarithmic = longest > LONG;
  const scale = (logarithmic ? scaleLog() : scaleLinear()).domain([1, longest]).range([left, right]);
  const parts = residual.slice(1).map((part) => part ?? 0);
  const [low, high] = logDomain(sizeExtent([...parts, tolerance, 1]) ?? [0.1, 1]);
  // As colours of the heat map do, heights follow the square root of many decades: the upper ones are those that count.
  const sizes = createHeatScale([low, Math.max(high, 10 * low)]);
  const place = (part: number) => base + (top - base) * sizes.intensity(part);
  const yAxis: AxisScale<number> = Object.assign((part: number) => place(part), {
    domain: () => [low, high],
    range: () => [base, top],
    copy: () => yAxis,
  });
  const digits = [1, 2, 5].flatMap((digit) => Array.from({ length: 6 }, (_, power) => digit * 10 ** power));
  const candidates = logarithmic ? digits.sort((a, b) => a - b) : scale.ticks(12).filter(Number.isInteger);
  const end = scale(longest);
  const inner = apart(
    candidates.filter((k) => k >= 1 && end - scale(k) >= X_DISTANCE),
    scale,
    X_DISTANCE,
  );
  return {
    longest,
    logarithmic,
    x: scale,
    kAt: (x) => Math.max(1, Math.min(longest, Math.round(scale.invert(x)))),
    y: (part) => (part === null || part === 0 ? null : place(part)),
    yAxis,
    xTicks: [...apart([1, ...inner], scale, X_DISTANCE), ...(longest > 1 ? [longest] : [])],
    yTicks: yTicksOf([low, high], place),
  };
}

function yTicksOf([low, high]: [number, number], place: (part: number) => number): number[] {
  const [first, last] = [Math.round(Math.log10(low)), Math.floor(Math.log10(high) + 1e-9)];
  if (last - first <= FEW_DECADES) return logTicks([low, high], Y_TICKS);
  const powers = Array.from({ length: last - first + 1 }, (_, index) => Number(`1e${last - index}`));
  return apart(powers, place, Y_DISTANCE);
}

/** The first, and every one that is far enough from the one before. */
function apart(values: number[], place: (value: number) => number, distance: number): number[] {
  const kept: number[] = [];
  for (const value of values) {
    const before = kept.at(-1);
    if (before === undefined || Math.abs(place(value) - place(before)) >= distance) kept.push(value);
  }
  return kept;
}

/** Lags that are recorded now: those of an automatic horizon are the chosen ones. */
export function inForce(setting: SettingValue, { horizon, residual }: HorizonChoice): number {
  const longest = residual.length - 1;
  if (setting === "auto") return horizon;
  return setting === null ? longest : Math.min(setting, longest);
}

/** "12.1 %", or "3.20×10⁻⁹" of what is too little for percent. */
const amount = (part: number) => (part < LEAST_PERCENT ? formatNumber(part, 3) : formatPercent(part));

/** One k. */
export function describeResidual({ residual }: HorizonChoice, k: number): string {
  const part = residual[k];
  if (part === 0) return `With k = ${k}, nothing is left out`;
  if (part === null) return `With k = ${k}, what is left out is not finite`;
  return `With k = ${k}, up to ${amount(part)} of a loss’s gradient is left out`;
}

/** What was found, in a sentence. */
export function describeChoice(choice: HorizonChoice, setting: SettingValue): string {
  const { horizon, residual } = choice;
  const now = inForce(setting, choice);
  const part = residual[horizon];
  const left = part ? `at most ${amount(part)} of any loss’s gradient` : "nothing";
  const found = `${counted(horizon, "lag", formatCount(horizon))} ${horizon === 1 ? "is" : "are"} enough: ${left} is left out.`;
  if (now === horizon) return `${found} That is the horizon in force.`;
  const other = residual[now];
  const leaves = other === null ? "more than can be told" : other === 0 ? "nothing" : `up to ${amount(other)}`;
  return `${found} The one in force, ${formatCount(now)}, leaves out ${leaves}.`;
}

/** How the plot is to be read, and what of it needs a word. */
export function explainResiduals(choice: HorizonChoice, trained: number): string {
  const { horizon, tolerance, batch, losses, residual } = choice;
  const parts = residual.slice(1);
  const sentences = [
    "Each point: what is left out of the gradient of a loss if only k lags are recorded. The worst of " +
      `${formatCount(losses)} losses, in the windows that came next after batch ${formatCount(batch)}.`,
    `From k = ${formatCount(horizon)} on (shaded) all stay within the tolerance, ${formatTick(100 * tolerance)} %.`,
    "Point at a k to read it; a click or Enter sets the horizon to it.",
  ];
  if (parts.some((part) => part !== null && part > 1)) {
    sentences.push("Above 1, pieces of a loss cancel: what is left out is larger than the whole sum.");
  }
  const least = Math.min(...parts.filter((part) => part !== null && part > 0).map(Number));
  if (least < 10 ** -FEW_DECADES) sentences.push("The vertical axis shows the upper powers of ten larger.");
  if (parts.includes(0)) sentences.push("Points on the lowest line: exactly nothing is left out.");
  if (parts.includes(null)) sentences.push("What is not finite has no point.");
  if (trained > batch) sentences.push(`Training has gone on by ${formatCount(trained - batch)} batches since.`);
  return sentences.join(" ");
}
