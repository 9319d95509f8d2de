/** Where each part of a stacked bar begins and ends, in the units of the measure. */

import type { Rung } from "./ladder";
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
  lags: number;
  ladder: Rung[];
  /** What is drawn, step by step, from the axis outwards. Pieces whose loss lies outside the window are left out. */
  parts: DrawnPart[];
  /** One for each step, outermost. */
  beyond: Part[];
  /** Size of the sum of each step's pieces. */
  total: ArrayLike<number>;
  /** Lowest and highest value drawn; the first is 0 unless pieces are signed. */
  extent: [number, number];
  /** Something was NaN or infinite and is left out. */
  incomplete: boolean;
  /** The piece of a step that holds a value, or the nearest end of the bar within `tolerance`. */
  find(step: number, value: number, tolerance: number): Part | null;
  /** Where one piece lies, however lags are grouped. */
  piece(step: number, lag: number | null): Part | null;
}

/** How many lags a step has: its losses end with the window. */
export const lagsOf = (step: number, steps: number, lags: number) => Math.min(lags, steps - step);

/**
 * Positive pieces stack up from zero, negative ones down; for measures that are never negative all stack up. Grouping
 * changes colours only: a rung whose pieces have both signs has a part above zero and one below, so bars stay as tall.
 */
export function createStack(snapshot: Snapshot, items: Items, ladder: Rung[]): Stack {
  const { steps, lags } = snapshot;
  const parts: DrawnPart[] = [];
  const beyond: Part[] = [];
  /** Where each piece begins, and its size: negative if it stacks down. */
  const starts = new Float64Array(steps * lags);
  const sizes = new Float64Array(steps * lags);
  let [least, most] = [0, 0];
  let incomplete = false;

  const between = (step: number, lag: number | null, from: number, size: number): Part => ({
    step,
    lag,
    low: Math.min(from, from + size),
    high: Math.max(from, from + size),
  });

  for (let step = 0; step < steps; step += 1) {
    const known = lagsOf(step, steps, lags);
    let [down, up] = [0, 0];
    for (let rung = 0; rung < ladder.length && ladder[rung].first < known; rung += 1) {
      const { first, last } = ladder[rung];
      const [lowest, highest] = [down, up];
      for (let lag = first; lag <= last && lag < known; lag += 1) {
        const value = items.pieces[step * lags + lag];
        const size = Number.isFinite(value) ? value : 0;
        if (size !== value) incomplete = true;
        starts[step * lags + lag] = size < 0 ? down : up;
        sizes[step * lags + lag] = size;
        if (size < 0) down += size;
        else up += size;
      }
      if (down < lowest) parts.push({ step, lag: first, rung, low: down, high: lowest });
      if (up > highest || down === lowest) parts.push({ step, lag: first, rung, low: highest, high: up });
    }
    const rest = Number.isFinite(items.beyond[step]) ? items.beyond[step] : 0;
    if (rest !== items.beyond[step]) incomplete = true;
    beyond.push(between(step, null, rest < 0 ? down : up, rest));
    const total = Number.isFinite(items.total[step]) ? items.total[step] : 0;
    least = Math.min(least, down + Math.min(rest, 0), total);
    most = Math.max(most, up + Math.max(rest, 0), total);
  }

  function piece(step: number, lag: number | null): Part | null {
    if (step < 0 || step >= steps) return null;
    if (lag === null) return beyond[step];
    if (lag < 0 || lag >= lagsOf(step, steps, lags)) return null;
    return between(step, lag, starts[step * lags + lag], sizes[step * lags + lag]);
  }

  function find(step: number, value: number, tolerance: number): Part | null {
    let best: Part | null = null;
    let distance = tolerance;
    const known = lagsOf(step, steps, lags);
    for (let lag = 0; lag <= known; lag += 1) {
      const candidate = lag < known ? piece(step, lag) : beyond[step];
      if (!candidate || candidate.high === candidate.low) continue;
      if (value >= candidate.low && value <= candidate.high) return candidate;
      const gap = Math.max(candidate.low - value, value - candidate.high);
      if (gap < distance) [best, distance] = [candidate, gap];
    }
    return best;
  }

  return { steps, lags, ladder, parts, beyond, total: items.total, extent: [least, most], incomplete, find, piece };
}
