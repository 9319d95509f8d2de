/** Where each part of a stacked bar begins and ends, in the units of the measure. */

import type { Items, Snapshot } from "../protocol/chunks";
import { hasLag, indexOf, lagsOf, reachesBack } from "../protocol/lags";
import type { Rung } from "./ladder";

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
  /** Its pieces are negative, which its place does not say. */
  against: boolean;
}

export interface Stack {
  steps: number;
  ladder: Rung[];
  /** What is drawn, step by step, from the axis outwards. Pieces whose loss lies outside the window are left out. */
  parts: DrawnPart[];
  /** One for each step, outermost. */
  beyond: Part[];
  /** Each step's whole bar. */
  bars: Part[];
  /** Where the size of the sum of each step's pieces is marked; null: pieces have no sum. */
  marks: Float64Array | null;
  /** Lowest and highest value drawn; the first is 0 if everything stacks up. */
  extent: [number, number];
  /** Something was NaN or infinite and is left out. */
  incomplete: boolean;
  /** The piece of a step that holds a value, or the nearest end of the bar within `tolerance`. */
  find(step: number, value: number, tolerance: number): Part | null;
  /** Where one piece lies, however lags are grouped. */
  piece(step: number, lag: number | null): Part | null;
}

/**
 * Where only later losses reach a step, positive pieces stack up from zero and negative ones down; for measures that are
 * never negative all stack up. Where earlier losses do too, pieces stack by size, those of later losses up and those of
 * earlier ones down; a step's own loss is next to the axis. The sum is then counted from the bar's lower end.
 *
 * Grouping changes colours only: a rung whose pieces have both signs has a part for each, so bars stay as tall.
 */
export function createStack({ steps }: Snapshot, items: Items, ladder: Rung[]): Stack {
  const bySide = reachesBack(items);
  /** Where no later loss reaches a step, its own belongs to the other side. */
  const ownSide = items.firstLag + items.lags > 1 ? 1 : -1;
  const parts: DrawnPart[] = [];
  const beyond: Part[] = [];
  const bars: Part[] = [];
  /** Where each piece begins, and its size: negative if it stacks down. */
  const starts = new Float64Array(items.pieces.length);
  const sizes = new Float64Array(items.pieces.length);
  const marks = items.total && new Float64Array(steps);
  let [least, most] = [0, 0];
  let incomplete = false;

  const finite = (value: number) => {
    if (!Number.isFinite(value)) incomplete = true;
    return Number.isFinite(value) ? value : 0;
  };

  const between = (step: number, lag: number | null, from: number, size: number): Part => ({
    step,
    lag,
    low: Math.min(from, from + size),
    high: Math.max(from, from + size),
  });

  /** Stacks the pieces of one rung on those before it; gives the new ends of the bar. */
  function add(step: number, rung: number, [down, up]: [number, number]): [number, number] {
    const span = lagsOf(step, steps, items);
    const { first, last } = ladder[rung];
    const lags: number[] = [];
    for (let lag = Math.max(first, span.first); lag <= last && lag < span.end; lag += 1) lags.push(lag);
    if (lags.length === 0) return [down, up];
    const side = last < 0 ? -1 : last === 0 ? ownSide : 1;
    if (last < 0) lags.reverse();
    const values = lags.map((lag) => finite(items.pieces[indexOf(step, lag, items)]));
    const before = parts.length;
    for (const negative of [false, true]) {
      const [lowest, highest] = [down, up];
      lags.forEach((lag, index) => {
        if (values[index] < 0 !== negative) return;
        const at = indexOf(step, lag, items);
        const size = bySide ? side * Math.abs(values[index]) : values[index];
        starts[at] = size < 0 ? down : up;
        sizes[at] = size;
        if (size < 0) down += size;
        else up += size;
      });
      const part = { step, lag: first, rung, against: bySide && negative };
      if (down < lowest) parts.push({ ...part, low: down, high: lowest });
      if (up > highest) parts.push({ ...part, low: highest, high: up });
    }
    const at = bySide && side < 0 ? down : up;
    if (parts.length === before) parts.push({ step, lag: first, rung, against: false, low: at, high: at });
    return [down, up];
  }

  for (let step = 0; step < steps; step += 1) {
    let ends: [number, number] = [0, 0];
    for (let rung = 0; rung < ladder.length; rung += 1) ends = add(step, rung, ends);
    const [down, up] = ends;
    const outside = finite(items.beyond?.[step] ?? 0);
    const rest = bySide ? Math.abs(outside) : outside;
    beyond.push(between(step, null, rest < 0 ? down : up, rest));
    const total = finite(items.total?.[step] ?? 0);
    const mark = bySide ? down + Math.abs(total) : total;
    if (marks) marks[step] = mark;
    const [low, high] = [down + Math.min(rest, 0), up + Math.max(rest, 0)];
    bars.push({ step, lag: null, low, high });
    least = Math.min(least, low, mark);
    most = Math.max(most, high, mark);
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

  return { steps, ladder, parts, beyond, bars, marks, extent: [least, most], incomplete, find, piece };
}
