/** How much of what the weights received lies past the recorded lags (docs/measures.md). */

import type { Items, Snapshot } from "../protocol/chunks";
import type { Measure } from "../protocol/contract";
import { horizonOf } from "../protocol/lags";
import { formatPercent } from "./format";
import { isState, wholeName } from "./surface_text";

/** Of signed shares a part of their exact sum, else a part of all bars together; 0 if nothing lies there. */
export function beyondShare({ pieces, beyond, total }: Items, measure: Measure): number {
  const sum = (values: Float32Array) => values.reduce((before, value) => before + value, 0);
  if (!beyond || !total || beyond.every((value) => value === 0)) return 0;
  return sum(beyond) / (measure === "share" ? sum(total) : sum(pieces) + sum(beyond));
}

export function describeBeyond({ steps, stream }: Snapshot, items: Items, surface: string, measure: Measure): string {
  if (!items.beyond) return "";
  const lags = horizonOf(items);
  if (lags >= steps) return "The horizon is the whole window: nothing lies beyond it.";
  const horizon = lags === 1 ? "the one recorded lag" : `the ${lags} recorded lags`;
  const share = beyondShare(items, measure);
  if (!Number.isFinite(share)) return `What lies beyond ${horizon} is not finite.`;
  if (share === 0) return `Nothing lies beyond ${horizon}.`;
  const part = formatPercent(share);
  const received = isState(surface) ? "the states" : "the weights";
  if (measure !== "share") return `${part} of what ${received} received, by ${BY[measure]}, lies beyond ${horizon}.`;
  const name = wholeName(surface);
  const whole = stream === null ? `the whole gradient ${name}` : `this stream’s part of ${name}`;
  return share > 0
    ? `${part} of ${whole} lies beyond ${horizon}.`
    : `What lies beyond ${horizon} works against the rest, by ${part} of ${whole}.`;
}

const BY = { norm: "norm", mean_abs: "mean |entry|" };
