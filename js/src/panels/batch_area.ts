/** Where panels 2, 3 and 4 stand: pale, and out of reach, while what they draw is not of the batch that is to be shown. */

import { element } from "../browser/dom";
import type { Pending } from "../figure/figure";
import type { Commands } from "../session/session";
import type { State } from "../state/store";
import { createPendingNote } from "./pending_note";

export function createBatchArea(parent: HTMLElement, commands: Commands) {
  const note = createPendingNote(parent, commands);
  const node = element("div", { class: "of-batch" });
  parent.append(node);

  return {
    node,
    update(pending: Pending | null, state: State) {
      note.update(pending, state);
      node.classList.toggle("pending", pending !== null);
      node.setAttribute("aria-busy", String(pending !== null));
      // What is drawn belongs to another batch: nothing in it can be pointed at or reached by keys.
      node.inert = pending !== null;
    },
  };
}
