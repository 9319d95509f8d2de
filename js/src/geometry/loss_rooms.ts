/** How much room there is for words about a loss. */

import type { Snapshot } from "../protocol/chunks";
import { hasLoss } from "../words/outcomes";
import type { Columns } from "./columns";

/** Steps with a loss, and how much room a number has there: up to the one before. */
export function lossRooms(snapshot: Snapshot, columns: Columns): { step: number; room: number }[] {
  const found: { step: number; room: number }[] = [];
  let free = columns.left;
  for (let step = columns.first; step < columns.first + columns.count; step += 1) {
    if (!hasLoss(snapshot, step)) continue;
    const end = columns.x(step + 1);
    found.push({ step, room: end - free });
    free = end;
  }
  return found;
}
