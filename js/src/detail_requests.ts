/**
 * Asks the kernel for the details of batches that a view wants to show and the page does not hold.
 *
 * One request is under way at a time, and the newest wish is asked for next: a pointer that sweeps over many batches
 * asks for few. After silence the wish of then is asked for again, ever more rarely.
 */

import type { Clock } from "./clock";
import { SILENCE_MS } from "./requests";

const RAREST_MS = 60_000;
/** So many answers are remembered. */
const MOST_THINNED = 1000;

/** Why details are not there. Thinned: the kernel has given them up; `nearest` is a batch of which it has them. */
export type Missing = { why: "waiting" | "silent" } | { why: "thinned"; nearest: number | null };

export interface DetailRequests {
  /** What a view wants to show; null: nothing, or nothing that is not there. */
  want(view: object, batch: number | null): void;
  missing(batch: number): Missing;
  /** The kernel has answered: with the details, or that it does not hold them. */
  answered(batch: number, held: boolean, nearest: number | null): void;
  /** Any sign of life from the kernel. */
  heard(): void;
  /** Another run is shown: what was asked and answered concerned the one before. */
  startOver(): void;
  destroy(): void;
}

export interface DetailRequestsOptions {
  /** Gives whether it was sent. */
  send: (batch: number) => boolean;
  holds: (batch: number) => boolean;
  onChange: () => void;
  clock: Clock;
}

export function createDetailRequests({ send, holds, onChange, clock }: DetailRequestsOptions): DetailRequests {
  /** The newest last. */
  const wishes = new Map<object, number>();
  const thinned = new Map<number, number | null>();
  let asked: number | null = null;
  let silent = false;
  let patience = SILENCE_MS;
  let cancelTimer = () => {};

  function wait(ms: number) {
    patience = ms;
    cancelTimer();
    cancelTimer = clock.after(ms, onSilence);
  }

  function settle() {
    asked = null;
    silent = false;
    cancelTimer();
  }

  const wish = () => [...wishes.values()].reverse().find((batch) => !thinned.has(batch) && !holds(batch)) ?? null;

  /** Asks for the newest wish, and waits `ms` for the answer. */
  function ask(ms: number) {
    asked = wish();
    if (asked === null) return settle();
    if (send(asked)) return wait(ms);
    // There is no way to the kernel: tried again when it is heard, or at the next wish.
    asked = null;
    silent = true;
    cancelTimer();
  }

  function onSilence() {
    silent = true;
    ask(Math.min(RAREST_MS, 2 * patience));
    onChange();
  }

  return {
    want(view, batch) {
      const before = wishes.get(view);
      if (batch === null) wishes.delete(view);
      if (batch === null || batch === before) return;
      wishes.delete(view);
      wishes.set(view, batch);
      if (asked === null) ask(SILENCE_MS);
    },
    missing(batch) {
      const nearest = thinned.get(batch);
      if (nearest !== undefined) return { why: "thinned", nearest };
      return { why: silent ? "silent" : "waiting" };
    },
    answered(batch, held, nearest) {
      if (!held) {
        thinned.set(batch, nearest);
        const [oldest] = thinned.keys();
        if (thinned.size > MOST_THINNED) thinned.delete(oldest);
      }
      if (batch === asked || asked === null) {
        settle();
        ask(SILENCE_MS);
      }
    },
    heard() {
      if (!silent) return;
      silent = false;
      if (asked === null) ask(SILENCE_MS);
      else wait(SILENCE_MS);
      onChange();
    },
    startOver() {
      wishes.clear();
      thinned.clear();
      settle();
    },
    destroy: settle,
  };
}
