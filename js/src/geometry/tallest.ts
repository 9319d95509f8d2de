/** The tallest bar of a batch. Pure. */

import type { Items, Snapshot } from "../protocol/chunks";

export interface Tallest {
  step: number;
  height: number;
  /** The part of it that comes from the step's own loss. */
  own: number;
}

/** Null if no bar has a height, or pieces make none. Of signed shares, bars are what lies above zero. */
export function tallestBar({ steps }: Pick<Snapshot, "steps">, items: Items): Tallest | null {
  const { pieces, lags, firstLag, total, beyond } = items;
  if (!total || firstLag !== 0) return null;
  let found: Tallest | null = null;
  for (let step = 0; step < steps; step += 1) {
    let height = Math.max(0, beyond?.[step] ?? 0);
    for (let lag = 0; lag < lags; lag += 1) height += Math.max(0, pieces[step * lags + lag]);
    const own = Math.max(0, pieces[step * lags]) / height;
    if (Number.isFinite(height) && height > (found?.height ?? 0)) found = { step, height, own };
  }
  return found;
}
