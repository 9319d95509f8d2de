/** What a tooltip says of a piece, or of what lies beyond the recorded lags. */

import { labelOf, type Shown } from "../figure";
import { formatLoss, formatNumber, formatPercent } from "../format";
import { type Rung, rungName } from "../ladder";
import { MEASURE_TEXT, totalText } from "../measures";
import { lagsOf } from "../stack";
import type { State } from "../store";
import { rightText, streamName } from "../streams";
import type { TooltipContent } from "../tooltip";

/** `rung`: the lags that the piece is drawn together with. */
export function describePart(
  step: number,
  lag: number | null,
  { snapshot, items }: Shown,
  { labels, measure, info }: State,
  rung: Rung | null = null,
): TooltipContent {
  const { steps, lags, accuracy } = snapshot;
  const label = (token: number) => `‘${labelOf(labels, token)}’`;
  const name = (at: number) => (accuracy ? `step ${at}` : `step ${at}, ${label(snapshot.target[at])}`);
  const whole = streamName(snapshot.stream, info);
  const shown: TooltipContent["rows"] = whole ? [["shown", whole]] : [];
  const value = lag === null ? items.beyond[step] : items.pieces[step * lags + lag];
  const known = lagsOf(step, steps, lags);
  let bar = Math.abs(items.beyond[step]);
  for (let at = 0; at < known; at += 1) bar += Math.abs(items.pieces[step * lags + at]);
  const numbers: TooltipContent["rows"] = [
    [MEASURE_TEXT[measure].value, formatNumber(value)],
    ["part of the bar", bar > 0 ? formatPercent(value / bar) : "—"],
    [totalText(measure, snapshot), formatNumber(items.total[step])],
  ];
  if (lag === null) {
    return {
      title: `Beyond the ${lags} recorded lags`,
      rows: [...shown, ["received by", name(step)], ["sent by", `losses ${lags} or more steps later`], ...numbers],
    };
  }
  if (rung && rung.first < rung.last) {
    const end = Math.min(rung.last, known - 1);
    const group = Array.from(items.pieces.subarray(step * lags + rung.first, step * lags + end + 1));
    numbers.push([`lags ${rungName({ first: rung.first, last: end })} together`, sumText(group)]);
  }
  const loss = step + lag;
  return {
    title: lag === 0 ? "Own loss (lag 0)" : `Loss ${lag} ${lag === 1 ? "step" : "steps"} later (lag ${lag})`,
    rows: [
      ...shown,
      ["received by", name(step)],
      ["sent by the loss at", name(loss)],
      ["predicted there", accuracy ? rightText(accuracy, loss, info) : label(snapshot.prediction[loss])],
      ["that loss", `${formatLoss(snapshot.loss[loss])} nats`],
      ...numbers,
    ],
  };
}

/** A sum; of signed values also what is above and below zero, since both are drawn. */
function sumText(values: number[]): string {
  const sum = (of: number[]) => of.reduce((total, value) => total + value, 0);
  const up = sum(values.filter((value) => value > 0));
  const down = sum(values.filter((value) => value < 0));
  const all = formatNumber(sum(values), 3);
  return up > 0 && down < 0 ? `${all} (${formatNumber(up, 3)} ${formatNumber(down, 3).replace("−", "− ")})` : all;
}
