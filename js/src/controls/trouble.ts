/** What went wrong: a note while the kernel is silent, and a banner for everything else. */

import { element, setText } from "../browser/dom";
import type { Problem } from "../state/store";

const SILENT: Problem = {
  message: "The kernel has not answered for some seconds.",
  hint: "It may be busy with a cell, or not running.",
};

const wordsOf = ({ message, hint }: Problem) => `${message} ${hint}`.trim();

/** `more`: what else there is to say while the kernel is silent. */
export function createTrouble(more = "") {
  const note = element("p", { class: "silence", attributes: { role: "status" } });
  const banner = element("div", { class: "banner", attributes: { role: "alert" } });

  return {
    nodes: [note, banner],
    update(silent: boolean, problem: Problem | null) {
      note.hidden = !silent;
      setText(note, silent ? `${wordsOf(SILENT)} ${more}`.trim() : "");
      banner.hidden = problem === null;
      if (banner.textContent === (problem ? wordsOf(problem) : "")) return;
      banner.replaceChildren(
        ...(problem ? [element("strong", { text: problem.message }), problem.hint && ` ${problem.hint}`] : []),
      );
    },
  };
}
