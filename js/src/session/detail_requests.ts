/**
 * Asks the kernel for the details of batches that a view wants to show and the page does not hold.
 *
 * One request is under way at a time, and the newest wish is asked for next: a pointer that sweeps over many batches
 * asks for few. After silence the wish of then is asked for again, ever more rarely.
 */

import type { Clock } from "../browser/clock";
import { keyOf, type Place } from "../state/details";
import { SILENCE_MS } from "./requests";

const RAREST_MS = 60_000;
/** So many answers are remembered. */
const MOST_DENIED = 1000;

/**
 * Why details are not there. Thinned: the kernel does not hold them (any more); refused: it cannot work them out, for a
 * reason; `nearest` is a batch of which it holds what is recorded.
 */
export type Missing =
  | { why: "waiting"; progress?: string | undefined }
  | { why: "silent" }
  | { why: "thinned"; nearest: number | null }
  | { why: "refused"; reason: string; nearest: number | null };

export interface DetailRequests {
  /** What a view wants to show and is not there, the most important first. */
  want(view: object, places: readonly Place[]): void;
  missing(place: Place): Missing;
  /** The kernel has answered: with the details, or that it does not hold them; `again`: for a reason that may pass. */
  answered(place: Place, held: boolean, nearest: number | null, reason?: string | null, again?: boolean): void;
  /** The kernel has begun to work it out, and goes on when it is asked again. */
  unfinished(place: Place, reason: string): void;
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
  const wishes = new Map<object, readonly Place[]>();
  const denied = new Map<string, Missing>();
  /** Those whose reasons may have passed by now. */
  const past = new WeakSet<Missing>();
  let asked: Place | null = null;
  /** What the kernel works out over several requests, and how far it is. */
  let begun: { key: string; reason: string } | null = null;
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

  function isWish(place: Place) {
    const denial = denied.get(keyOf(place));
    return (!denial || past.has(denial)) && !holds(place);
  }
  const wish = () => [...wishes.values()].reverse().flat().find(isWish) ?? null;
  const same = (a: readonly Place[], b: readonly Place[]) =>
    a.length === b.length && a.every((place, index) => keyOf(place) === keyOf(b[index]));

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
    want(view, places) {
      if (same(places, wishes.get(view) ?? [])) return;
      wishes.delete(view);
      if (places.length === 0) return;
      wishes.set(view, places);
      if (asked === null) ask(SILENCE_MS);
    },
    missing(place) {
      const progress = begun?.key === keyOf(place) ? begun.reason : undefined;
      return denied.get(keyOf(place)) ?? (silent ? { why: "silent" } : { why: "waiting", progress });
    },
    unfinished(place, reason) {
      begun = { key: keyOf(place), reason };
      if (asked !== null && keyOf(place) !== keyOf(asked)) return;
      settle();
      ask(SILENCE_MS);
      onChange();
    },
    answered(place, held, nearest, reason, again) {
      if (!held) {
        const denial: Missing = reason ? { why: "refused", reason, nearest } : { why: "thinned", nearest };
        denied.set(keyOf(place), denial);
        if (again) {
          clock.after(SILENCE_MS, () => {
            past.add(denial);
            if (asked === null) ask(SILENCE_MS);
          });
        }
        const [oldest] = denied.keys();
        if (denied.size > MOST_DENIED) denied.delete(oldest);
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
      denied.clear();
      settle();
    },
    destroy() {
      wishes.clear();
      settle();
    },
  };
}
