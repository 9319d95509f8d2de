/** What the panels show, in words for who does not see them. Pure. */

import type { Shown } from "../figure/figure";
import { tallestBar } from "../geometry/tallest";
import type { Series } from "../state/series";
import type { State } from "../state/store";
import { formatCount, formatNumber, formatPercent } from "../words/format";
import { hasLoss, isRight } from "../words/outcomes";
import { axisOf, valueText } from "../words/quantities";
import { surfaceName } from "../words/surface_text";
import { visible } from "../words/visible_text";

/** Longer texts would be listened to for too long. */
const MOST_LETTERS = 60;

/** Panel 1: batches from index `from` up to but not with `to`. */
export function describeOverview(state: State, series: Series, from: number, to: number): string {
  const { run, quantity, info } = state;
  const batches = run.batches();
  if (to <= from) return "Nothing is recorded.";
  const peak = series.highest(from, to);
  const count = to - from;
  const which = count === 1 ? `Batch ${formatCount(batches[from])}` : `${formatCount(count)} recorded batches`;
  const span = count === 1 ? "" : `, ${formatCount(batches[from])} to ${formatCount(batches[to - 1])}`;
  const told = (index: number) => valueText(quantity, series.values()[index], info);
  const highest = peak < 0 ? "no finite value" : `highest at batch ${formatCount(batches[peak])}: ${told(peak)}`;
  return `${which}${span}. ${axisOf(quantity, state)}: ${highest}; newest: ${told(to - 1)}.`;
}

/** Panel 2. */
export function describePredictions({ snapshot }: Shown, { labels }: Pick<State, "labels">): string {
  const { steps, average, values, target, prediction } = snapshot;
  const all = Array.from({ length: steps }, (_, step) => step);
  const losses = all.filter((step) => hasLoss(snapshot, step));
  const counts = `${formatCount(steps)} steps, ${formatCount(losses.length)} of them with a loss`;
  if (average) return `${counts}. An average over streams: labels differ.`;
  if (values) return `${counts}. Values, true and predicted.`;
  const right = losses.filter((step) => isRight(snapshot, step)).length;
  const letters = (tokens: ArrayLike<number>) => {
    const said = losses.slice(0, MOST_LETTERS).map((step) => visible(labels[tokens[step]] ?? ""));
    return said.join("") + (losses.length > MOST_LETTERS ? "…" : "");
  };
  return `${counts}, ${formatCount(right)} right. True: ${letters(target)}. Predicted: ${letters(prediction)}.`;
}

/** Panel 3. */
export function describeGradients({ snapshot, items, surface, form }: Shown, { info }: Pick<State, "info">): string {
  const kind = form === "bars" ? "Stacked bars" : "Heat map";
  const begun = `${kind} of ${surfaceName(surface, info)}: ${formatCount(snapshot.steps)} steps, ${formatCount(items.lags)} lags.`;
  const tallest = tallestBar(snapshot, items);
  if (!tallest) return begun;
  return (
    `${begun} Step ${tallest.step} received the most, ${formatNumber(tallest.height)}, ` +
    `${formatPercent(tallest.own)} of it from its own loss.`
  );
}
