/**
 * Which batch is shown while the newest is followed. During training many batches arrive every second: each that is
 * shown stays long enough to be seen, and for as long as it is pointed at.
 */

import type { Run } from "../state/run";
import type { State } from "../state/store";

/** A batch that is followed stays long enough to be seen. */
export const SHOWN_MS = 250;

/** Gives the index of the recorded batch to show; -1 if there is none. */
export type Following = (state: State, pointedAt: boolean) => number;

export function createFollowing(now: () => number = () => performance.now()): Following {
  let held: { run: Run; index: number; since: number } | null = null;

  return ({ run, status }, pointedAt) => {
    const current = held?.run === run && held.index >= 0 ? held : null;
    const stays = status.state === "training" && (pointedAt || (current !== null && now() - current.since < SHOWN_MS));
    held = (stays && current) || { run, index: run.length - 1, since: now() };
    return held.index;
  };
}
