/**
 * The details of batches that the page holds. Bounded in bytes: of the chunks that came, the one that was longest not
 * looked at goes first, so what is on screen stays.
 */

import type { Stream } from "./contract";
import type { DetailsChunk, Snapshot } from "./protocol";

export const CACHE_BYTES = 64_000_000;

/** Which details: of a batch, one stream or the average. */
export interface Place {
  batch: number;
  stream: Stream;
}

/** Places as keys of maps. */
export const keyOf = ({ batch, stream }: Place) => `${stream ?? "average"} ${batch}`;

export interface Details {
  /** Bytes held. */
  readonly nbytes: number;
  /** Keeps a chunk; of places that are held already the newer details count. */
  add(chunk: DetailsChunk): void;
  has(place: Place): boolean;
  get(place: Place): Snapshot | null;
  /** Number of the batch with details of the same stream that is nearest; null if none are held. */
  nearest(place: Place): number | null;
}

export function createDetails(limit = CACHE_BYTES): Details {
  const places = new Map<string, { chunk: DetailsChunk; row: number }>();
  /** How many batches of each chunk count, from the chunk that was longest not looked at to the newest. */
  const counts = new Map<DetailsChunk, number>();
  let nbytes = 0;

  function touch(chunk: DetailsChunk) {
    const count = counts.get(chunk);
    if (count === undefined) return;
    counts.delete(chunk);
    counts.set(chunk, count);
  }

  function forget(chunk: DetailsChunk) {
    for (const batch of chunk.batch) {
      const key = keyOf({ batch, stream: chunk.stream });
      if (places.get(key)?.chunk === chunk) places.delete(key);
    }
    counts.delete(chunk);
    nbytes -= chunk.nbytes;
  }

  function supersede(chunk: DetailsChunk) {
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
        const key = keyOf({ batch, stream: chunk.stream });
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
      const held = places.get(keyOf(place));
      if (!held) return null;
      touch(held.chunk);
      return held.chunk.snapshot(held.row);
    },
    nearest({ batch, stream }) {
      let nearest: number | null = null;
      for (const { chunk, row } of places.values()) {
        const held = chunk.batch[row];
        if (chunk.stream !== stream) continue;
        if (nearest === null || Math.abs(held - batch) < Math.abs(nearest - batch)) nearest = held;
      }
      return nearest;
    },
  };
}
