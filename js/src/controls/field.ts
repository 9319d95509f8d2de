/** Fields: what is chosen or typed, after a label. What was refused is said beside it. */

import { element, setText } from "../browser/dom";

export function createField(label: string, ...content: HTMLElement[]): HTMLElement {
  return element("label", { class: "field" }, element("span", { text: label }), ...content);
}

/** One to type into. `commit` is called when what was typed is meant. */
export function createTypedField(label: string, attributes: Record<string, string>, commit: () => void) {
  const input = element("input", { attributes });
  const refusal = element("span", { class: "refusal", attributes: { role: "status" } });
  let edited = false;

  function end() {
    if (!edited) return;
    edited = false;
    commit();
  }

  input.addEventListener("input", () => {
    edited = true;
  });
  input.addEventListener("change", end);
  // Some hosts keep the key press from the browser, which then reports no change.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") end();
  });

  return {
    field: createField(label, input, refusal),
    input,
    /** Says why, or takes back what was said. */
    refuse(reason: string) {
      setText(refusal, reason);
      input.toggleAttribute("aria-invalid", reason !== "");
    },
  };
}
