/** Which batch a comparison shows: pure. */

import { follows, type State } from "../state/store";
import { SHOWN_MS } from "../view/following";

type SideState = Pick<State, "run" | "status" | "info">;

/**
 * The newest batch that can be shown of all sides that go on: sides that have diverged or finished stay behind, and
 * show the nearest that they have. Null if nothing is recorded.
 */
export function newestCommon(sides: readonly SideState[]): number | null {
  const recorded = sides.filter(({ run }) => run.length > 0);
  if (recorded.length === 0) return null;
  const goingOn = recorded.filter(({ status, info }) => (info.live || follows(status)) && status.state !== "diverged");
  const newest = ({ run }: SideState) => run.batches()[run.length - 1];
  return goingOn.length > 0 ? Math.min(...goingOn.map(newest)) : Math.max(...recorded.map(newest));
}

/** Follows the newest batch, as `createFollowing` does for one run. */
export function createCommonFollowing(now: () => number = () => performance.now()) {
  let held: { batch: number | null; since: number } = { batch: null, since: 0 };
  return (sides: readonly SideState[], pointedAt: boolean): number | null => {
    const newest = newestCommon(sides);
    const training = sides.some(({ status }) => status.state === "training");
    // After a reset, what was shown is gone.
    const there = held.batch !== null && newest !== null && held.batch <= newest;
    const stays = training && there && (pointedAt || now() - held.since < SHOWN_MS);
    if (!stays && held.batch !== newest) held = { batch: newest, since: now() };
    return held.batch;
  };
}
