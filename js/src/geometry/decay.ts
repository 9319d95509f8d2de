/** Follows one loss through the steps that received its gradient: back, and where it reaches them, ahead. */

import type { Items, Snapshot } from "../protocol/chunks";
import { indexOf, lagsOf, stepsOf } from "../protocol/lags";
import { zeroStep } from "../state/surfaces";
import { counted, formatPercent } from "../words/format";
import { hasLoss } from "../words/outcomes";
import { isJacobian } from "../words/surface_text";

/** A gradient below this part of its largest piece counts as gone. */
const GONE = 0.01;

export interface Received {
  step: number;
  lag: number;
  value: number;
}

/** The pieces of the loss at step `loss`, by lag, from the last step that it reaches back to the first. */
export function piecesOf(loss: number, { steps }: Snapshot, items: Items): Received[] {
  const { first, end } = stepsOf(loss, steps, items);
  return Array.from({ length: end - first }, (_, index) => {
    const step = end - 1 - index;
    const lag = loss - step;
    return { step, lag, value: items.pieces[indexOf(step, lag, items)] };
  });
}

/** The loss that sent the most gradient. */
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

/** The loss that is followed when nobody points at one. Of states none is the strongest; the last has the most before it. */
export const openingLoss = (snapshot: Snapshot, surface: string, items: Items) =>
  isJacobian(surface) ? snapshot.steps - 1 : strongestLoss(snapshot, items);

/** Whether there is a loss at a step that could send anything; states depend on earlier ones without any loss. */
export const sends = (loss: number, snapshot: Snapshot, items: Items) => !items.total || hasLoss(snapshot, loss);

/** What a loss sent one way, from its own step outwards; where the state before is zero, a step tells nothing. */
interface Side {
  sizes: number[];
  way: "back" | "ahead";
  /** Lags grow this way, or fall. */
  sign: 1 | -1;
  /** As far as lags were recorded; else the window ends it. */
  cut: boolean;
}

function sidesOf(loss: number, snapshot: Snapshot, surface: string, items: Items): Side[] {
  const zero = zeroStep(surface, snapshot);
  const telling = piecesOf(loss, snapshot, items).filter(({ step }) => step !== zero);
  const sizes = (pieces: Received[]) => pieces.map(({ value }) => Math.abs(value));
  const back = telling.filter(({ lag }) => lag >= 0);
  const ahead = telling.filter(({ lag }) => lag <= 0).reverse();
  return [
    { sizes: sizes(back), way: "back", sign: 1, cut: loss >= items.firstLag + items.lags },
    { sizes: sizes(ahead), way: "ahead", sign: -1, cut: snapshot.steps - 1 - loss > -items.firstLag },
  ];
}

/** Where on a side the loss is gone, in steps; null: nowhere. Pieces before the largest do not count. */
function goneAt({ sizes }: Side, largest: number): number | null {
  const from = sizes.indexOf(largest);
  const distance = sizes.findIndex((size, index) => index > Math.max(from, 0) && size < GONE * largest);
  return distance < 0 ? null : distance;
}

/** Null if the question makes no sense. */
function largestOf(sides: Side[]): number | null {
  const all = sides.flatMap(({ sizes }) => sizes);
  const largest = Math.max(0, ...all);
  return all.every(Number.isFinite) && largest > 0 ? largest : null;
}

/**
 * The lags at which a loss no longer reaches back, or ahead: where its pieces, by the norm, first fall below 1 % of the
 * largest, not counting those before the largest.
 */
export function fallsBelow(loss: number, snapshot: Snapshot, surface: string): number[] {
  const sides = sidesOf(loss, snapshot, surface, snapshot.items(surface, "norm"));
  const largest = largestOf(sides);
  return sides.flatMap((side) => {
    const distance = largest === null ? null : goneAt(side, largest);
    return distance === null ? [] : [side.sign * distance];
  });
}

/**
 * How fast the gradient of a loss decays, in words that claim no more than what was recorded. By the norm, whatever
 * measure is drawn: a signed share is also small where the gradient is large but at a right angle.
 */
export function describeDecay(
  loss: number,
  snapshot: Snapshot,
  surface: string,
  items = snapshot.items(surface, "norm"),
): string {
  if (!sends(loss, snapshot, items)) return "no loss here, so nothing is sent, which is not vanishing";
  const sides = sidesOf(loss, snapshot, surface, items);
  const sizes = sides.flatMap((side) => side.sizes);
  if (sizes.length === 0) return "the state before this step is zero, so nothing reaches W_hh from here";
  if (!sizes.every(Number.isFinite)) return "its gradient is not finite";
  const largest = largestOf(sides);
  if (largest === null) return "its gradient is exactly zero";
  const told = sides.filter((side) => side.sizes.length > 1).map((side) => describeSide(side, largest));
  if (told.length > 0) return `${isJacobian(surface) ? "its norm" : "gradient"} ${told.join("; it ")}`;
  return sides[0].cut ? "only its own step was recorded" : "the window begins here";
}

function describeSide(side: Side, largest: number): string {
  const { sizes, way, cut } = side;
  const gone = goneAt(side, largest);
  if (gone !== null) return `falls below 1 % of its largest piece ${counted(gone, "step")} ${way}`;
  const last = sizes.length - 1;
  const end = cut ? "at the last recorded lag" : `where the window ${way === "back" ? "begins" : "ends"}`;
  return `is still ${formatPercent(sizes[last] / largest)} of its largest piece ${end}, ${counted(last, "step")} ${way}`;
}
