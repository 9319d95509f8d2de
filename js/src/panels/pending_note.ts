/** Says that the details of a batch are not there, why, and where there are some. Lies over panels 2, 3 and 4. */

import { element, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import type { Pending } from "../figure/figure";
import type { Commands } from "../session/session";
import type { Run } from "../state/run";
import type { State } from "../state/store";
import { formatBytes, formatCount } from "../words/format";
import { streamName } from "../words/streams";

export interface PendingNote {
  update(pending: Pending | null, state: State): void;
}

/** A batch to go to instead: of what was thinned the kernel knows it, else one that the page holds. */
export function nearestDetailed(pending: Pending, { details }: Run): number | null {
  if (pending.why === "waiting") return null;
  return "nearest" in pending ? pending.nearest : details.nearest({ ...pending, part: null });
}

export function createPendingNote(parent: HTMLElement, commands: Commands): PendingNote {
  const words = element("span", { attributes: { role: "status" } });
  const button = createButton("nearest", "", () => nearest !== null && commands.select(nearest), { title: "Key D" });
  const note = element("div", { class: "pending-note" }, element("div", {}, words, button));
  note.hidden = true;
  parent.append(note);
  let nearest: number | null = null;

  return {
    update(pending, state) {
      nearest = pending && nearestDetailed(pending, state.run);
      note.hidden = pending === null;
      setText(words, pending ? explain(pending, state) : "");
      button.hidden = nearest === null;
      setText(button, nearest === null ? "" : `Nearest with details: ${formatCount(nearest)}`);
    },
  };
}

/** What else of the batch is here, in words. */
function describeHeld({ batch }: Pending, { run, info }: State): string {
  if (info.batch_size === 1) return "";
  const streams = [null, ...Array(info.batch_size).keys()].filter((stream) =>
    run.details.has({ batch, stream, part: null }),
  );
  const names = streams.map((stream) => (stream === null ? "the average" : `stream ${stream + 1}`));
  return names.length > 0 ? ` Of that batch the ${info.page ? "page" : "notebook"} holds ${names.join(", ")}.` : "";
}

function explain(pending: Pending, state: State): string {
  const { reached, status, info } = state;
  const { batch, stream, why } = pending;
  const shown = streamName(stream, info);
  const name = `${formatCount(batch)}${shown && `, ${shown}`}`;
  if (why === "thinned" && stream !== null && pending.nearest === null) return `The run does not hold batch ${name}.`;
  if (why === "refused") return pending.reason;
  if (info.page) return explainMissing(pending, state, name) + describeHeld(pending, state);
  if (why === "waiting") return pending.progress ?? `Batch ${name}: waiting for the kernel…`;
  if (why === "thinned") {
    const limit = formatBytes(status.memory_limit);
    return `The details of batch ${name} were thinned to stay within the memory limit (${limit}).`;
  }
  return reached
    ? `Batch ${name}: its details are not here, and the kernel has not answered for some seconds. It may be busy with a cell, or not running.`
    : `The details of batch ${name} are not in this notebook, and no kernel has answered. It may be busy, or not running.${describeHeld(pending, state)}`;
}

/** Why a page that is one file does not show something of a batch. */
function explainMissing({ batch, stream, part }: Pending, { run }: State, name: string): string {
  const what = part !== null && run.details.has({ batch, stream, part: null }) ? part : "details";
  return `This page has no ${what} of batch ${name}: it is a file, without a kernel to ask.`;
}
