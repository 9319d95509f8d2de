/** All of this as a line of Python: a button that copies it, and shows what it copied. */

import { element, setText } from "./dom";
import { icon } from "./icons";
import type { Commands } from "./session";
import type { State } from "./store";

export interface CodeLine {
  button: HTMLButtonElement;
  /** What the button opens. */
  node: HTMLElement;
  update(state: State): void;
}

export function createCodeLine(commands: Commands): CodeLine {
  const button = element(
    "button",
    { attributes: { type: "button", "data-action": "code", title: "A line of Python that shows this same picture" } },
    icon("copy"),
    element("span", { text: "Copy as Python" }),
  );
  const line = element("textarea", {
    // Keys belong to the text, and not to the host's shortcuts.
    attributes: {
      readonly: "",
      rows: "3",
      "aria-label": "This widget as Python",
      "data-lm-suppress-shortcuts": "true",
    },
  });
  const said = element("span", { attributes: { role: "status" } });
  const close = element("button", { text: "Close", attributes: { type: "button", "data-action": "close-code" } });
  const node = element("div", { class: "code-line" }, line, element("div", { class: "buttons" }, said, close));
  node.hidden = true;
  let asked = false;
  let told: State["code"] = null;

  button.addEventListener("click", () => {
    asked = true;
    commands.askCode();
  });
  close.addEventListener("click", () => {
    node.hidden = true;
    button.focus();
  });

  function copied(done: boolean) {
    setText(said, done ? "Copied." : "Select and copy it.");
    if (!done) line.select();
  }

  return {
    button,
    node,
    update({ code, info }) {
      button.hidden = info.page !== undefined && info.page !== null;
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
