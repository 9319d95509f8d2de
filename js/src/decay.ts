/** Follows one loss back through the steps that received its gradient. */

import { formatPercent } from "./format";
import { horizonOf, indexOf, lagsOf, stepsOf } from "./lags";
import type { Items, Snapshot } from "./protocol";

/** A gradient below this part of its largest piece counts as gone. */
const GONE = 0.01;

export interface Received {
  step: number;
  lag: number;
  value: number;
}

/** The pieces of the loss at step `loss`: from its own step back, as far as lags were recorded. */
export function piecesOf(loss: number, snapshot: Snapshot, items: Items): Received[] {
  const { first, end } = stepsOf(loss, snapshot.steps, items);
  return Array.from({ length: end - first }, (_, index) => {
    const step = end - 1 - index;
    const lag = loss - step;
    return { step, lag, value: items.pieces[indexOf(step, lag, items)] };
  });
}

/** The loss that sent the most gradient: shown when nobody points at one. */
export function strongestLoss({ steps }: Snapshot, items: Items): number {
  const sent = new Float64Array(steps);
  for (let step = 0; step < steps; step += 1) {
    const { first, end } = lagsOf(step, steps, items);
    for (let lag = first; lag < end; lag += 1) {
      const size = Math.abs(items.pieces[indexOf(step, lag, items)]);
      if (Number.isFinite(size)) sent[step + lag] += size;
    }
  }
  return sent.indexOf(Math.max(...sent));
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * The lag at which a loss no longer reaches back: where its pieces, by the norm, first fall below 1 % of the largest,
 * not counting those before the largest. Null if they never do, or if the question makes no sense.
 */
export function fallsBelow(loss: number, snapshot: Snapshot, surface: string): number | null {
  const sizes = tellingSizes(loss, snapshot, snapshot.items(surface, "norm"));
  const largest = Math.max(...sizes);
  if (!sizes.every(Number.isFinite) || !(largest > 0)) return null;
  const from = sizes.indexOf(largest);
  const lag = sizes.findIndex((size, index) => index > from && size < GONE * largest);
  return lag < 0 ? null : lag;
}

/** With a zero state before the window, the first step's piece is zero whatever the gradient does: it tells nothing. */
function tellingSizes(loss: number, snapshot: Snapshot, items: Items): number[] {
  const pieces = piecesOf(loss, snapshot, items);
  const telling = snapshot.zeroState ? pieces.filter(({ step }) => step > 0) : pieces;
  return telling.map(({ value }) => Math.abs(value));
}

/**
 * How fast the gradient of a loss decays, in words that claim no more than what was recorded. By the norm, whatever
 * measure is drawn: a signed share is also small where the gradient is large but at a right angle.
 */
export function describeDecay(loss: number, snapshot: Snapshot, surface: string): string {
  const items = snapshot.items(surface, "norm");
  const sizes = tellingSizes(loss, snapshot, items);
  if (sizes.length === 0) return "the state before this step is zero, so nothing reaches W_hh from here";
  if (!sizes.every(Number.isFinite)) return "its gradient is not finite";
  const largest = Math.max(...sizes);
  if (largest === 0) return "its gradient is exactly zero";

  const gone = fallsBelow(loss, snapshot, surface);
  if (gone !== null) return `gradient falls below 1 % of its largest piece ${counted(gone, "step")} back`;
  const last = sizes.length - 1;
  if (last === 0) return loss === 0 ? "the window begins here" : "only its own step was recorded";
  const left = `${formatPercent(sizes[last] / largest)} of its largest piece`;
  if (loss >= horizonOf(items))
    return `gradient is still ${left} at the last recorded lag, ${counted(last, "step")} back`;
  return `gradient is still ${left} where the window begins, ${counted(last, "step")} back`;
}
