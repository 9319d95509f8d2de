/** Makes HTML elements. Text from data goes through `text` and so is never read as markup. */

interface Properties {
  class?: string;
  text?: string;
  attributes?: Record<string, string>;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  // JupyterLab takes arrow keys for its cells, unless the focused element itself says that they are its own.
  if (tag === "select") made.setAttribute("data-lm-suppress-shortcuts", "true");
  if (properties.class) made.className = properties.class;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) made.setAttribute(name, value);
  if (properties.text !== undefined) made.textContent = properties.text;
  made.append(...children);
  return made;
}

/** Sets text only if it differs, so that live regions speak once and selections survive. */
export function setText(target: Element, text: string) {
  if (target.textContent !== text) target.textContent = text;
}
