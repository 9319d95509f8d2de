/** What a tooltip says of a piece, or of what lies beyond the recorded lags. */

import type { Shown } from "../figure/figure";
import { type Rung, rungName } from "../geometry/ladder";
import { horizonOf, indexOf, lagsOf, reachesBack } from "../protocol/lags";
import type { State } from "../state/store";
import { counted, formatNumber, formatPercent } from "../words/format";
import { MEASURE_TEXT, totalText } from "../words/measures";
import { averageText, hasLoss, lossText, NO_LOSS, predictionText, targetText } from "../words/outcomes";
import { streamName } from "../words/streams";
import { distinctName, isJacobian, senderName } from "../words/surface_text";
import type { TooltipContent } from "../words/tooltip_content";

/** `rung`: the lags that the piece is drawn together with. */
export function describePart(
  step: number,
  lag: number | null,
  { snapshot, surface, items, measure }: Shown,
  state: State,
  rung: Rung | null = null,
): TooltipContent {
  const { info } = state;
  const { steps } = snapshot;
  const name = (at: number) => (snapshot.average ? `step ${at}` : `step ${at}, ${targetText(snapshot, at, state)}`);
  const whole = streamName(snapshot.stream, info);
  const surfaceShown = distinctName(surface, info);
  const shown: TooltipContent["rows"] = surfaceShown ? [["surface", surfaceShown]] : [];
  if (whole) shown.push(["shown", whole]);
  const sender = senderName(surface);
  const known = lagsOf(step, steps, items);
  const pieces = (first: number, end: number) =>
    items.pieces.subarray(indexOf(step, first, items), indexOf(step, end, items));
  const beyond = items.beyond?.[step] ?? 0;
  const value = lag === null ? beyond : items.pieces[indexOf(step, lag, items)];
  const bar = pieces(known.first, known.end).reduce((sum, piece) => sum + Math.abs(piece), Math.abs(beyond));
  const numbers: TooltipContent["rows"] = [
    [isJacobian(surface) ? "spectral norm" : MEASURE_TEXT[measure].value, formatNumber(value)],
  ];
  if (items.bound && lag !== null) numbers.push(["at most", formatNumber(items.bound[lag - items.firstLag])]);
  if (items.total) {
    numbers.push(["part of the bar", bar > 0 ? formatPercent(value / bar) : "—"]);
    numbers.push([totalText(measure, snapshot), formatNumber(items.total[step])]);
  }
  if (lag === null) {
    const lags = horizonOf(items);
    return {
      title: `Beyond the ${lags} recorded lags`,
      rows: [
        ...shown,
        ["received by", name(step)],
        ["sent by", `losses ${lags} or more steps ${reachesBack(items) ? "away" : "later"}`],
        ...numbers,
      ],
    };
  }
  if (rung && rung.first < rung.last) {
    const [first, last] = [Math.max(rung.first, known.first), Math.min(rung.last, known.end - 1)];
    const group = Array.from(pieces(first, last + 1));
    const distance = rungName({ first, last });
    numbers.push([`${lag < 0 ? `${distance} steps earlier` : `lags ${distance}`} together`, sumText(group)]);
  }
  const loss = step + lag;
  const title = titleOf(sender, lag);
  if (isJacobian(surface)) {
    return { title, rows: [...shown, ["state of", name(step)], ["changes the state of", name(loss)], ...numbers] };
  }
  return {
    title,
    rows: [
      ...shown,
      ["received by", name(step)],
      ["sent by the loss at", name(loss)],
      ["predicted there", snapshot.average ? averageText(snapshot, loss, info) : predictionText(snapshot, loss, state)],
      ["that loss", hasLoss(snapshot, loss) ? lossText(snapshot.loss[loss], info) : NO_LOSS],
      ...numbers,
    ],
  };
}

/** "Loss 3 steps earlier (lag −3)". */
function titleOf(sender: string, lag: number): string {
  const name = sender[0].toUpperCase() + sender.slice(1);
  if (lag === 0) return `Own ${sender} (lag 0)`;
  const steps = counted(Math.abs(lag), "step");
  return `${name} ${steps} ${lag < 0 ? `earlier (lag −${-lag})` : `later (lag ${lag})`}`;
}

/** A sum; of signed values also what is above and below zero, since both are drawn. */
function sumText(values: number[]): string {
  const sum = (of: number[]) => of.reduce((total, value) => total + value, 0);
  const up = sum(values.filter((value) => value > 0));
  const down = sum(values.filter((value) => value < 0));
  const all = formatNumber(sum(values), 3);
  return up > 0 && down < 0 ? `${all} (${formatNumber(up, 3)} ${formatNumber(down, 3).replace("−", "− ")})` : all;
}
