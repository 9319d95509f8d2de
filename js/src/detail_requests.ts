/**
 * Asks the kernel for the details of batches that a view wants to show and the page does not hold.
 *
 * One request is under way at a time, and the newest wish is asked for next: a pointer that sweeps over many batches
 * asks for few. After silence the wish of then is asked for again, ever more rarely.
 */

import type { Clock } from "./clock";
import { keyOf, type Place } from "./details";
import { SILENCE_MS } from "./requests";

const RAREST_MS = 60_000;
/** So many answers are remembered. */
const MOST_THINNED = 1000;

/** Why details are not there. Thinned: the kernel does not hold them (any more); `nearest` is a batch of which it does. */
export type Missing = { why: "waiting" | "silent" } | { why: "thinned"; nearest: number | null };

export interface DetailRequests {
  /** What a view wants to show; null: nothing, or nothing that is not there. */
  want(view: object, place: Place | null): void;
  missing(place: Place): Missing;
  /** The kernel has answered: with the details, or that it does not hold them. */
  answered(place: Place, held: boolean, nearest: number | null): void;
  /** Any sign of life from the kernel. */
  heard(): void;
  /** Another run is shown: what was asked and answered concerned the one before. */
  startOver(): void;
  destroy(): void;
}

export interface DetailRequestsOptions {
  /** Gives whether it was sent. */
  send: (place: Place) => boolean;
  holds: (place: Place) => boolean;
  onChange: () => void;
  clock: Clock;
}

export function createDetailRequests({ send, holds, onChange, clock }: DetailRequestsOptions): DetailRequests {
  /** The newest last. */
  const wishes = new Map<object, Place>();
  const thinned = new Map<string, number | null>();
  let asked: Place | null = null;
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

  const isWish = (place: Place) => !thinned.has(keyOf(place)) && !holds(place);
  const wish = () => [...wishes.values()].reverse().find(isWish) ?? null;

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
    want(view, place) {
      const before = wishes.get(view);
      if (place === null) wishes.delete(view);
      if (place === null || (before && keyOf(place) === keyOf(before))) return;
      wishes.delete(view);
      wishes.set(view, place);
      if (asked === null) ask(SILENCE_MS);
    },
    missing(place) {
      const nearest = thinned.get(keyOf(place));
      if (nearest !== undefined) return { why: "thinned", nearest };
      return { why: silent ? "silent" : "waiting" };
    },
    answered(place, held, nearest) {
      if (!held) {
        thinned.set(keyOf(place), nearest);
        const [oldest] = thinned.keys();
        if (thinned.size > MOST_THINNED) thinned.delete(oldest);
      }
      if (asked === null || keyOf(place) === keyOf(asked)) {
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
