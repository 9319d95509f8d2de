/** All of this as a line of Python: a button that copies it, and shows what it copied. */

import { element, OWN_KEYS, setText } from "../browser/dom";
import type { Code } from "../state/store";
import { createButton, createIconButton } from "./button";

export interface CodeLine {
  button: HTMLButtonElement;
  /** What the button opens. */
  node: HTMLElement;
  /** What the kernel answered, if it did. A page that is a file has nobody to ask. */
  update(code: Code | null, isFile: boolean): void;
}

export function createCodeLine(ask: () => void): CodeLine {
  const title = "A line of Python that shows this same picture";
  const { button } = createIconButton("code", "copy", "Copy as Python", title, () => {
    asked = true;
    ask();
  });
  const line = element("textarea", {
    attributes: {
      readonly: "",
      rows: "3",
      "aria-label": "This widget as Python",
      ...OWN_KEYS,
    },
  });
  const said = element("span", { attributes: { role: "status" } });
  const close = createButton("close-code", "Close", () => {
    node.hidden = true;
    button.focus();
  });
  const node = element("div", { class: "code-line" }, line, element("div", { class: "buttons" }, said, close));
  node.hidden = true;
  let asked = false;
  let told: Code | null = null;

  function copied(done: boolean) {
    setText(said, done ? "Copied." : "Select and copy it.");
    if (!done) line.select();
  }

  return {
    button,
    node,
    update(code, isFile) {
      button.hidden = isFile;
      if (!code || code === told || !asked) return;
      told = code;
      asked = false;
      node.hidden = false;
      line.value = code.line;
      // Some hosts, and pages without encryption, allow no access to the clipboard.
      const written = navigator.clipboard?.writeText(code.line) ?? Promise.reject();
      written.then(
        () => copied(true),
        () => copied(false),
      );
    },
  };
}
