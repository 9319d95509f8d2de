/** Where each part of a stacked bar begins and ends, in the units of the measure. */

import type { Items, Snapshot } from "./protocol";

export interface Part {
  step: number;
  /** null: the part that lies beyond the recorded lags. */
  lag: number | null;
  low: number;
  high: number;
}

export interface Stack {
  steps: number;
  lags: number;
  /** Parts of all lags, step by step, from the axis outwards. Those whose loss lies outside the window are left out. */
  parts: Part[];
  /** One for each step, outermost. */
  beyond: Part[];
  /** Size of the sum of each step's pieces. */
  total: ArrayLike<number>;
  /** Lowest and highest value drawn; the first is 0 unless pieces are signed. */
  extent: [number, number];
  /** Something was NaN or infinite and is left out. */
  incomplete: boolean;
  /** The part of a step that holds a value, or the nearest end of the bar within `tolerance`. */
  find(step: number, value: number, tolerance: number): Part | null;
  part(step: number, lag: number | null): Part | null;
}

/** How many lags a step has: its losses end with the window. */
export const lagsOf = (step: number, steps: number, lags: number) => Math.min(lags, steps - step);

/** Positive pieces stack up from zero, negative ones down; for measures that are never negative all stack up. */
export function createStack(snapshot: Snapshot, items: Items): Stack {
  const { steps, lags } = snapshot;
  const parts: Part[] = [];
  const beyond: Part[] = [];
  /** Index in `parts` of each step's first part. */
  const firsts: number[] = [];
  let [least, most] = [0, 0];
  let incomplete = false;

  for (let step = 0; step < steps; step += 1) {
    let [down, up] = [0, 0];
    const place = (lag: number | null, value: number): Part => {
      const size = Number.isFinite(value) ? value : 0;
      incomplete ||= !Number.isFinite(value);
      if (size < 0) {
        down += size;
        return { step, lag, low: down, high: down - size };
      }
      up += size;
      return { step, lag, low: up - size, high: up };
    };
    firsts.push(parts.length);
    for (let lag = 0; lag < lagsOf(step, steps, lags); lag += 1) {
      parts.push(place(lag, items.pieces[step * lags + lag]));
    }
    beyond.push(place(null, items.beyond[step]));
    const total = Number.isFinite(items.total[step]) ? items.total[step] : 0;
    least = Math.min(least, down, total);
    most = Math.max(most, up, total);
  }

  const part = (step: number, lag: number | null) => {
    if (step < 0 || step >= steps) return null;
    if (lag === null) return beyond[step];
    return lag >= 0 && lag < lagsOf(step, steps, lags) ? parts[firsts[step] + lag] : null;
  };

  function find(step: number, value: number, tolerance: number): Part | null {
    let best: Part | null = null;
    let distance = tolerance;
    for (let lag = 0; lag <= lagsOf(step, steps, lags); lag += 1) {
      const candidate = lag < lagsOf(step, steps, lags) ? part(step, lag) : beyond[step];
      if (!candidate || candidate.high === candidate.low) continue;
      if (value >= candidate.low && value <= candidate.high) return candidate;
      const gap = Math.max(candidate.low - value, value - candidate.high);
      if (gap < distance) [best, distance] = [candidate, gap];
    }
    return best;
  }

  return { steps, lags, parts, beyond, total: items.total, extent: [least, most], incomplete, find, part };
}
