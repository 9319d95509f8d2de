/**
 * The details of batches that the page holds. Bounded in bytes: of the chunks that came, the one that was longest not
 * looked at goes first, so what is on screen stays.
 */

import type { CellFlow, HeldChunk, Snapshot, Units } from "../protocol/chunks";
import type { Part, Stream } from "../protocol/contract";

const CACHE_BYTES = 64_000_000;

/** Which details: of a batch, one stream or the average, what is recorded or another part. */
export interface Place {
  batch: number;
  stream: Stream;
  part: Part;
}

/** Places as keys of maps. */
export const keyOf = ({ batch, stream, part }: Place) => `${stream ?? "average"} ${batch} ${part ?? ""}`;

export interface Details {
  /** Bytes held. */
  readonly nbytes: number;
  /** Keeps a chunk; of places that are held already the newer details count. */
  add(chunk: HeldChunk): void;
  has(place: Place): boolean;
  /** What is recorded of a batch, or one of its surfaces. */
  get(place: Place): Snapshot | null;
  /** Its hidden units: of a part `unitsOf(surface)`. */
  units(place: Place): Units | null;
  /** What flows in a cell: of a part `cellOf(suffix)`. */
  cell(place: Place): CellFlow | null;
  /** Number of the batch whose same part, of the same stream, is held and that is nearest; null if none is held. */
  nearest(place: Place): number | null;
}

export function createDetails(limit = CACHE_BYTES): Details {
  const places = new Map<string, { chunk: HeldChunk; row: number }>();
  /** How many batches of each chunk count, from the chunk that was longest not looked at to the newest. */
  const counts = new Map<HeldChunk, number>();
  let nbytes = 0;

  function touch(chunk: HeldChunk) {
    const count = counts.get(chunk);
    if (count === undefined) return;
    counts.delete(chunk);
    counts.set(chunk, count);
  }

  function find(place: Place) {
    const held = places.get(keyOf(place));
    if (held) touch(held.chunk);
    return held;
  }

  function forget(chunk: HeldChunk) {
    for (const batch of chunk.batch) {
      const key = keyOf({ ...chunk, batch });
      if (places.get(key)?.chunk === chunk) places.delete(key);
    }
    counts.delete(chunk);
    nbytes -= chunk.nbytes;
  }

  function supersede(chunk: HeldChunk) {
    const left = (counts.get(chunk) ?? 0) - 1;
    if (left > 0) counts.set(chunk, left);
    else forget(chunk);
  }

  return {
    get nbytes() {
      return nbytes;
    },
    add(chunk) {
      nbytes += chunk.nbytes;
      counts.set(chunk, chunk.count);
      chunk.batch.forEach((batch, row) => {
        const key = keyOf({ ...chunk, batch });
        const before = places.get(key);
        places.set(key, { chunk, row });
        if (before) supersede(before.chunk);
      });
      for (const oldest of counts.keys()) {
        if (nbytes <= limit || oldest === chunk) break;
        forget(oldest);
      }
    },
    has: (place) => places.has(keyOf(place)),
    get(place) {
      const held = find(place);
      return held?.chunk.kind === "details" ? held.chunk.read(held.row) : null;
    },
    units(place) {
      const held = find(place);
      return held?.chunk.kind === "units" ? held.chunk.read(held.row) : null;
    },
    cell(place) {
      const held = find(place);
      return held?.chunk.kind === "cell" ? held.chunk.read(held.row) : null;
    },
    nearest({ batch, stream, part }) {
      let nearest: number | null = null;
      for (const { chunk, row } of places.values()) {
        const held = chunk.batch[row];
        if (chunk.stream !== stream || chunk.part !== part) continue;
        if (nearest === null || Math.abs(held - batch) < Math.abs(nearest - batch)) nearest = held;
      }
      return nearest;
    },
  };
}
