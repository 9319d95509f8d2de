/** What a batch says of how far its gradient reaches: figures, and a sentence. The twin of `reading.py`. */

import type { Items, Snapshot } from "../protocol/chunks";
import { indexOf } from "../protocol/lags";
import { parseSurface } from "../state/surfaces";
import { counted } from "./format";

/** Thresholds, as docs/measures.md has them. */
export const FEWEST_STEPS = 8;
const MOST = 0.8;
const AGREEING = 1.25;
const GROWN = 10;
const SHORT = 0.25;
const GONE = 0.01;

export interface Reading {
  steps: number;
  lags: number;
  /** Losses up to so many steps away (null: all that are recorded) make up this part of the gradient. */
  near: { lag: number | null; part: number } | null;
  /** After so many steps the gradient of a typical loss is below 1 %; if that was not seen, it reaches at least so far. */
  reach: { steps: number; seen: boolean } | null;
  /** How many times its own step's the largest piece of a typical loss is, if it grows much. */
  growth: number | null;
}

/** What one loss sent back, as far as that tells something. */
interface Sent {
  own: number;
  largest: number;
  /** The lag at which it first falls below 1 % of its largest piece, behind that; −1: nowhere. */
  gone: number;
  /** How many of its pieces were seen. */
  seen: number;
}

/** Reads a batch; what cannot be said is null. */
export function read(snapshot: Snapshot, surface: string): Reading {
  const items = snapshot.items(surface, "norm");
  const { lags } = items;
  const { steps } = snapshot;
  const nothing: Reading = { steps, lags, near: null, reach: null, growth: null };
  const { base, selector } = parseSurface(surface);
  const readable = base === "W_hh" && selector === null && items.firstLag === 0;
  if (!readable || steps < FEWEST_STEPS || !allFinite(items.pieces)) return nothing;
  const sent = sentOf(snapshot, items);
  const near = snapshot.has(surface, "share") ? nearOf(snapshot.items(surface, "share")) : null;
  return { ...nothing, near, reach: reachOf(sent), growth: growthOf(sent) };
}

function nearOf({ pieces, total, lags }: Items): Reading["near"] {
  if (!total) return null;
  const shares = new Float64Array(lags);
  for (let first = 0; first < pieces.length; first += lags) {
    for (let lag = 0; lag < lags; lag += 1) shares[lag] += pieces[first + lag];
  }
  const whole = sum(total);
  if (!shares.every(Number.isFinite) || !Number.isFinite(whole) || whole <= 0) return null;
  const parts = shares.map((share) => share / whole);
  if (sum(parts.map(Math.abs)) + Math.abs(1 - sum(parts)) > AGREEING) return null;
  let part = 0;
  const enough = parts.findIndex((share) => {
    part += share;
    return part >= MOST;
  });
  return part >= 0 && part <= 1 + 1e-4 ? { lag: enough < 0 ? null : enough, part } : null;
}

/** Of the losses that have at least half a window, or all recorded lags, behind them, and sent something. */
function sentOf({ steps, zeroState }: Snapshot, items: Items): Sent[] {
  const first = Math.min(items.lags, Math.floor((steps + 1) / 2)) - 1;
  const losses = Array.from({ length: steps - first }, (_, index) => first + index);
  return losses
    .map((loss) => follow(loss, Math.min(items.lags, loss + (zeroState ? 0 : 1)), items)) // a zero state tells nothing
    .filter(({ largest }) => largest > 0); // a step without a loss sends nothing
}

function follow(loss: number, seen: number, items: Items): Sent {
  const piece = (lag: number) => items.pieces[indexOf(loss - lag, lag, items)];
  let [largest, from] = [0, 0];
  for (let lag = 0; lag < seen; lag += 1) if (piece(lag) > largest) [largest, from] = [piece(lag), lag];
  let gone = from + 1;
  while (gone < seen && piece(gone) >= GONE * largest) gone += 1;
  return { own: seen > 0 ? piece(0) : 0, largest, gone: gone < seen ? gone : -1, seen };
}

function reachOf(sent: Sent[]): Reading["reach"] {
  if (sent.length === 0) return null;
  const least = middle(sent.map(({ gone, seen }) => (gone < 0 ? seen : gone)));
  // Losses that were not seen to fall may reach any further. Where that leaves the median as it is, it is known.
  const most = middle(sent.map(({ gone }) => (gone < 0 ? Number.POSITIVE_INFINITY : gone)));
  return { steps: least, seen: least === most };
}

function growthOf(sent: Sent[]): number | null {
  const ratios = sent.filter(({ own }) => own > 0).map(({ largest, own }) => largest / own);
  const grown = ratios.length > 0 ? middle(ratios) : 0;
  return grown >= GROWN ? grown : null;
}

/** The reading in words; "" if nothing is known. `name`: what the surface is called. */
export function describeReading({ steps, lags, near, reach, growth }: Reading, name: string): string {
  const parts: string[] = [];
  if (near) {
    const whole = `${Math.floor(100 * near.part + 0.5)} % of the gradient of ${name} comes from`;
    if (near.lag === null) parts.push(`only ${whole} the ${counted(lags, "recorded lag")}`);
    else if (near.lag === 0) parts.push(`${whole} each step’s own loss`);
    else parts.push(`${whole} losses at most ${counted(near.lag, "step")} away`);
  }
  if (reach?.seen) {
    parts.push(
      `the gradient of a typical loss falls below 1 % of its largest piece after ${counted(reach.steps, "step")}`,
    );
  } else if (reach) {
    const end = lags < steps ? "as far as lags were recorded" : "as far as the window allows to see";
    parts.push(`the gradient of a typical loss reaches back at least ${counted(reach.steps, "step")}, ${end}`);
  }
  if (growth !== null) {
    parts.push(`on its way back it grows, typically to ${Math.floor(growth + 0.5)} times that at its own step`);
  }
  if (reach?.seen && growth === null && reach.steps <= SHORT * steps) {
    parts.push("longer dependencies hardly count in it");
  }
  const said = parts.join("; ");
  return said && `${said[0].toUpperCase()}${said.slice(1)}.`;
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** A loop, since a long window has a quarter of a million. */
function allFinite(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index += 1) if (!Number.isFinite(values[index])) return false;
  return true;
}

/** A median that may be infinite. */
function middle(values: number[]): number {
  const ordered = Float64Array.from(values).sort();
  const [low, high] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return Number.isFinite(high) ? (low + high) / 2 : high;
}
