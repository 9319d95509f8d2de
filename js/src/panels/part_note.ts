/** Says within a panel why the part of a batch that it shows is not there. */

import { element, setText } from "../browser/dom";
import type { Pending } from "../figure/figure";
import type { State } from "../state/store";
import { formatCount } from "../words/format";
import { streamName } from "../words/streams";

export interface PartNote {
  /** The note, and what it stands for, which is pale while it is not that of the batch. */
  nodes: HTMLElement[];
  /** `pending`: why the part is not there; null if it is. `drawn`: that of another batch is to be seen meanwhile. */
  update(pending: Pending | null, drawn: boolean, state: State): void;
}

/** `what` begins a sentence: "The flow inside the cell". Within `body` stands the note, and `content`, the part. */
export function createPartNote(what: string, body: HTMLElement, content: HTMLElement): PartNote {
  const node = element("p", { class: "part-note", attributes: { role: "status" } });
  content.hidden = true;
  return {
    nodes: [node, content],
    update(pending, drawn, state) {
      node.hidden = pending === null;
      setText(node, pending ? explainPart(what, pending, state) : "");
      content.classList.toggle("pending", pending !== null);
      content.hidden = pending !== null && !drawn;
      content.inert = pending !== null;
      body.classList.toggle("empty", content.hidden && pending?.why === "waiting");
    },
  };
}

/** Why a part of a batch is not there, and what may be done. */
export function explainPart(what: string, pending: Pending, { info, reached }: Pick<State, "info" | "reached">) {
  const { batch, stream, why } = pending;
  const shown = streamName(stream, info);
  const of = `of batch ${formatCount(batch)}${shown && `, ${shown},`}`;
  if (why === "refused") return `${what} ${of} cannot be shown. ${pending.reason}`;
  if (info.page) return `${what} ${of} is not in this page: it is a file, without a kernel that could work it out.`;
  if (why === "waiting") return pending.progress ?? `${what} ${of}: the kernel works it out…`;
  if (why === "thinned") return `${what} ${of} cannot be worked out any more.`;
  return reached
    ? `${what} ${of} is not here, and the kernel has not answered for some seconds. It may be busy with a cell, or not running.`
    : `${what} ${of} is not in this notebook, and no kernel has answered. It may be busy, or not running.`;
}
