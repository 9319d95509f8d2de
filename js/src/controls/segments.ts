/** A choice among a few forms: buttons side by side, of which one is pressed. */

import { element } from "../browser/dom";

interface Option<T extends string> {
  value: T;
  text: string;
  title: string;
}

export interface Segments<T extends string> {
  node: HTMLElement;
  set(value: T): void;
}

export function createSegments<T extends string>(
  label: string,
  options: Option<T>[],
  onChoose: (value: T) => void,
): Segments<T> {
  const buttons = options.map(({ value, text, title }) => {
    const button = element("button", { text, attributes: { type: "button", "data-choice": value, title } });
    button.addEventListener("click", () => onChoose(value));
    return button;
  });
  const node = element("div", { class: "segments", attributes: { role: "group", "aria-label": label } }, ...buttons);
  return {
    node,
    set(value) {
      options.forEach((option, index) => {
        buttons[index].setAttribute("aria-pressed", String(option.value === value));
      });
    },
  };
}
