/**
 * The model's own copy of the run: what a saved notebook holds. Frames are added to it in place, so that a notebook
 * that is saved while the network trains holds them; it stays small, because the kernel sends it anew when much was
 * added, and of details only the last few are added.
 */

import type { AnyModel } from "@anywidget/types";
import type { Chunk } from "../protocol/chunks";
import type { Traits } from "../protocol/contract";

/** Bytes of details that are added at most. */
export const ADDED_BYTES = 96_000;

export interface SavedRun {
  readonly epoch: number;
  readonly next: number;
  /** Adds what a frame or an answer carried. */
  add(chunk: DataView, kind: Chunk["kind"]): void;
  /** A frame was added. */
  advance(recorded: number): void;
  /** Another state of the run is known, but not what it holds: the kernel sends that next. */
  restart(numbers: { epoch: number; next: number; recorded: number }): void;
}

export function createSavedRun(model: AnyModel<Traits>): SavedRun {
  /** Details that were added, the newest last; and the trait's value that they were added to. */
  let added: DataView[] = [];
  let to: unknown = null;

  function current() {
    const held = model.get("_run");
    if (held !== to) added = [];
    to = held;
    return held;
  }

  return {
    get epoch() {
      return model.get("_run").epoch;
    },
    get next() {
      return model.get("_run").next;
    },
    add(chunk, kind) {
      const { chunks } = current();
      if (kind === "overview") {
        chunks.push(chunk);
        return;
      }
      if (chunk.byteLength > ADDED_BYTES) return;
      added.push(chunk);
      chunks.push(chunk);
      let bytes = added.reduce((sum, { byteLength }) => sum + byteLength, 0);
      while (bytes > ADDED_BYTES) {
        const [oldest] = added.splice(0, 1);
        bytes -= oldest.byteLength;
        chunks.splice(chunks.indexOf(oldest), 1);
      }
    },
    advance(recorded) {
      Object.assign(current(), { next: current().next + 1, recorded });
    },
    restart(numbers) {
      const held = current();
      Object.assign(held, numbers);
      held.chunks.splice(0);
      added = [];
    },
  };
}
