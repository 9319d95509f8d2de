/** What is pointed at and what is pinned, and which loss that makes the one that is followed. */

/**
 * What is pointed at: a part of a bar (lag null: the part beyond the recorded lags), one step's loss, or that loss in one
 * track of the map of layers.
 */
export type Target =
  | { kind: "part"; step: number; lag: number | null; panel: "gradients" | "horizon" | "cell" }
  | { kind: "loss"; step: number }
  | { kind: "track"; step: number; track: string };

export interface Focus {
  target: Target | null;
  pinned: number | null;
}

/** The loss whose pieces are highlighted: the one pointed at, else the pinned one. */
export function focusedLoss({ target, pinned }: Focus): number | null {
  if (!target) return pinned;
  if (target.kind !== "part") return target.step;
  return target.lag === null ? null : target.step + target.lag;
}

export function sameTarget(a: Target | null, b: Target | null): boolean {
  if (!a || !b) return a === b;
  if (a.kind !== b.kind || a.step !== b.step) return false;
  if (a.kind === "track" && b.kind === "track") return a.track === b.track;
  return a.kind !== "part" || b.kind !== "part" || (a.lag === b.lag && a.panel === b.panel);
}
