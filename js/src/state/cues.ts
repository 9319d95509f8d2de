/** Batches worth looking at: the kernel names them, here they are put in the order of the run. */

import type { Cue } from "../protocol/contract";

/** The nearest cue after (1) or before (-1) a batch; of one batch's cues the first, which ranks highest. Null: none. */
export function nextCue(cues: readonly Cue[], batch: number, direction: 1 | -1): Cue | null {
  let nearest: Cue | null = null;
  for (const cue of cues) {
    const ahead = direction * (cue.batch - batch);
    if (ahead > 0 && (!nearest || ahead < direction * (nearest.batch - batch))) nearest = cue;
  }
  return nearest;
}

/** The cues of each batch, in ranked order: the first one's kind is what a batch is marked with. */
export function cuesByBatch(cues: readonly Cue[]): Map<number, Cue[]> {
  const grouped = new Map<number, Cue[]>();
  for (const cue of cues) {
    const group = grouped.get(cue.batch);
    if (group) group.push(cue);
    else grouped.set(cue.batch, [cue]);
  }
  return grouped;
}
