/** Buttons. `action` names them for style sheets and tests. */

import { element } from "../browser/dom";
import { type IconName, icon } from "./icons";

export function createButton(
  action: string,
  text: string,
  onClick: () => void,
  attributes: Record<string, string> = {},
): HTMLButtonElement {
  const button = element("button", { text, attributes: { type: "button", "data-action": action, ...attributes } });
  button.addEventListener("click", onClick);
  return button;
}

/** One with a picture before its text. */
export function createIconButton(action: string, name: IconName, label: string, title: string, onClick: () => void) {
  const button = createButton(action, "", onClick, { title });
  const picture = icon(name);
  const text = element("span", { text: label });
  button.append(picture, text);
  return { button, picture, text };
}
