/** Says within a panel why the part of a batch that it shows is not there. */

import { element, setText } from "../dom";
import type { Pending } from "../figure";
import { formatCount } from "../format";
import type { State } from "../store";
import { streamName } from "../streams";

export interface PartNote {
  node: HTMLElement;
  update(pending: Pending | null, state: State): void;
}

/** `what` begins a sentence: "The flow inside the cell". */
export function createPartNote(what: string): PartNote {
  const node = element("p", { class: "part-note", attributes: { role: "status" } });
  return {
    node,
    update(pending, state) {
      node.hidden = pending === null;
      setText(node, pending ? explainPart(what, pending, state) : "");
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
