/**
 * The details of batches that the page holds. Bounded in bytes: of the chunks that came, the one that was longest not
 * looked at goes first, so what is on screen stays.
 */

import type { DetailsChunk, Snapshot } from "./protocol";

export const CACHE_BYTES = 64_000_000;

export interface Details {
  /** Bytes held. */
  readonly nbytes: number;
  /** Keeps a chunk; of batches that are held already the newer details count. */
  add(chunk: DetailsChunk): void;
  has(batch: number): boolean;
  get(batch: number): Snapshot | null;
  /** Number of the batch with details that is nearest to a batch number; null if none are held. */
  nearest(batch: number): number | null;
}

export function createDetails(limit = CACHE_BYTES): Details {
  const places = new Map<number, { chunk: DetailsChunk; row: number }>();
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
    for (const batch of chunk.batch) if (places.get(batch)?.chunk === chunk) places.delete(batch);
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
        const before = places.get(batch);
        places.set(batch, { chunk, row });
        if (before) supersede(before.chunk);
      });
      for (const oldest of counts.keys()) {
        if (nbytes <= limit || oldest === chunk) break;
        forget(oldest);
      }
    },
    has: (batch) => places.has(batch),
    get(batch) {
      const place = places.get(batch);
      if (!place) return null;
      touch(place.chunk);
      return place.chunk.snapshot(place.row);
    },
    nearest(batch) {
      let nearest: number | null = null;
      for (const held of places.keys()) {
        if (nearest === null || Math.abs(held - batch) < Math.abs(nearest - batch)) nearest = held;
      }
      return nearest;
    },
  };
}
