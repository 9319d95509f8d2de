/** Where each part of a stacked bar begins and ends, in the units of the measure. */

import type { Rung } from "./ladder";
import { hasLag, indexOf, lagsOf } from "./lags";
import type { Items, Snapshot } from "./protocol";

/** A stretch of a bar. */
export interface Part {
  step: number;
  /** The (first) lag; null: the part that lies beyond the recorded lags. */
  lag: number | null;
  low: number;
  high: number;
}

/** A stretch that is drawn in one colour: the pieces of one rung of the ladder that have the same sign. */
export interface DrawnPart extends Part {
  lag: number;
  rung: number;
}

export interface Stack {
  steps: number;
  ladder: Rung[];
  /** What is drawn, step by step, from the axis outwards. Pieces whose loss lies outside the window are left out. */
  parts: DrawnPart[];
  /** One for each step, outermost. */
  beyond: Part[];
  /** Size of the sum of each step's pieces. */
  total: ArrayLike<number> | null;
  /** Lowest and highest value drawn; the first is 0 unless pieces are signed. */
  extent: [number, number];
  /** Something was NaN or infinite and is left out. */
  incomplete: boolean;
  /** The piece of a step that holds a value, or the nearest end of the bar within `tolerance`. */
  find(step: number, value: number, tolerance: number): Part | null;
  /** Where one piece lies, however lags are grouped. */
  piece(step: number, lag: number | null): Part | null;
}

/**
 * Positive pieces stack up from zero, negative ones down; for measures that are never negative all stack up. Grouping
 * changes colours only: a rung whose pieces have both signs has a part above zero and one below, so bars stay as tall.
 */
export function createStack(snapshot: Snapshot, items: Items, ladder: Rung[]): Stack {
  const { steps } = snapshot;
  const parts: DrawnPart[] = [];
  const beyond: Part[] = [];
  /** Where each piece begins, and its size: negative if it stacks down. */
  const starts = new Float64Array(items.pieces.length);
  const sizes = new Float64Array(items.pieces.length);
  let [least, most] = [0, 0];
  let incomplete = false;

  const between = (step: number, lag: number | null, from: number, size: number): Part => ({
    step,
    lag,
    low: Math.min(from, from + size),
    high: Math.max(from, from + size),
  });

  for (let step = 0; step < steps; step += 1) {
    const known = lagsOf(step, steps, items);
    let [down, up] = [0, 0];
    for (let rung = 0; rung < ladder.length && ladder[rung].first < known.end; rung += 1) {
      const { first, last } = ladder[rung];
      const [lowest, highest] = [down, up];
      for (let lag = first; lag <= last && lag < known.end; lag += 1) {
        const index = indexOf(step, lag, items);
        const value = items.pieces[index];
        const size = Number.isFinite(value) ? value : 0;
        if (size !== value) incomplete = true;
        starts[index] = size < 0 ? down : up;
        sizes[index] = size;
        if (size < 0) down += size;
        else up += size;
      }
      if (down < lowest) parts.push({ step, lag: first, rung, low: down, high: lowest });
      if (up > highest || down === lowest) parts.push({ step, lag: first, rung, low: highest, high: up });
    }
    const outside = items.beyond?.[step] ?? 0;
    const rest = Number.isFinite(outside) ? outside : 0;
    if (rest !== outside) incomplete = true;
    beyond.push(between(step, null, rest < 0 ? down : up, rest));
    const whole = items.total?.[step] ?? 0;
    const total = Number.isFinite(whole) ? whole : 0;
    least = Math.min(least, down + Math.min(rest, 0), total);
    most = Math.max(most, up + Math.max(rest, 0), total);
  }

  function piece(step: number, lag: number | null): Part | null {
    if (step < 0 || step >= steps) return null;
    if (lag === null) return beyond[step];
    if (!hasLag(lag, lagsOf(step, steps, items))) return null;
    const index = indexOf(step, lag, items);
    return between(step, lag, starts[index], sizes[index]);
  }

  function find(step: number, value: number, tolerance: number): Part | null {
    let best: Part | null = null;
    let distance = tolerance;
    const { first, end } = lagsOf(step, steps, items);
    for (let lag = first; lag <= end; lag += 1) {
      const candidate = lag < end ? piece(step, lag) : beyond[step];
      if (!candidate || candidate.high === candidate.low) continue;
      if (value >= candidate.low && value <= candidate.high) return candidate;
      const gap = Math.max(candidate.low - value, value - candidate.high);
      if (gap < distance) [best, distance] = [candidate, gap];
    }
    return best;
  }

  return { steps, ladder, parts, beyond, total: items.total, extent: [least, most], incomplete, find, piece };
}
