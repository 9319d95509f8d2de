/** Layers and directions at a glance: what every track's W_hh receives at each step, from all losses or from one. */

import type { Items, Snapshot } from "../protocol/chunks";
import { indexOf, stepsOf } from "../protocol/lags";
import { parseSurface, type Surface } from "../state/surfaces";
import { type Bins, exceeds } from "./heat";

/** One layer in one direction. */
export interface Track extends Pick<Surface, "layer" | "direction"> {
  /** Its surface. */
  name: string;
  items: Items;
  /** Height of each step's bar: what it received from all losses, by the norm. */
  bars: Float32Array;
}

/** The tracks that were recorded, the top layer first: what is nearest to the losses is uppermost. */
export function tracksOf(snapshot: Snapshot): Track[] {
  return snapshot.surfaces
    .map((name) => ({ name, ...parseSurface(name) }))
    .filter(({ base, direction, selector }) => base === "W_hh" && direction !== "both" && selector === null)
    .sort((a, b) => b.layer - a.layer || a.direction.localeCompare(b.direction))
    .map(({ name, layer, direction }) => {
      const items = snapshot.items(name, "norm");
      return { name, layer, direction, items, bars: barsOf(items, snapshot.steps) };
    });
}

/** Pieces that no loss of the window sends are 0. */
function barsOf({ pieces, lags, beyond }: Items, steps: number): Float32Array {
  return Float32Array.from({ length: steps }, (_, step) => {
    let sum = beyond?.[step] ?? 0;
    for (let index = step * lags; index < (step + 1) * lags; index += 1) sum += pieces[index];
    return sum;
  });
}

/** What one loss sent to a track, by step; −1 where it does not reach, or was not recorded. */
export function sentTo({ items, bars }: Track, loss: number): Float32Array {
  const sent = new Float32Array(bars.length).fill(-1);
  const { first, end } = stepsOf(loss, bars.length, items);
  for (let step = first; step < end; step += 1) sent[step] = items.pieces[indexOf(step, loss - step, items)];
  return sent;
}

/** The step in each of the columns' bins that received most; −1 if nothing reaches it. What is not finite comes first. */
export function largestSteps(values: ArrayLike<number>, first: number, bins: Bins): Int32Array {
  const largest = new Int32Array(bins.count).fill(-1);
  bins.of.forEach((bin, index) => {
    const step = first + index;
    const held = largest[bin];
    if (!(values[step] < 0) && (held < 0 || exceeds(values[step], values[held]))) largest[bin] = step;
  });
  return largest;
}

export interface RowPlace {
  y: number;
  height: number;
}

const ROOM = 216;
const [SHORTEST, TALLEST] = [11, 20];
/** Between layers, if a layer has two rows. */
const GAP = 4;

/** Where the rows lie: as tall as a few of them may be, and no shorter than can be pointed at. */
export function layOutRows(tracks: readonly Pick<Track, "layer">[]): { rows: RowPlace[]; height: number } {
  const height = Math.max(SHORTEST, Math.min(TALLEST, Math.floor(ROOM / Math.max(1, tracks.length))));
  let y = 0;
  const rows = tracks.map(({ layer }, index) => {
    const paired = tracks.some((other, at) => at !== index && other.layer === layer);
    if (index > 0 && paired && tracks[index - 1].layer !== layer) y += GAP;
    const place = { y, height };
    y += height;
    return place;
  });
  return { rows, height: y };
}

/** The row at a height; null between rows and outside. */
export function rowAt(rows: readonly RowPlace[], y: number): number | null {
  const found = rows.findIndex((row) => y >= row.y && y < row.y + row.height);
  return found < 0 ? null : found;
}
