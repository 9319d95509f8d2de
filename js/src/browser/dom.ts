/** Makes elements. Text from data goes through `text` and so is never read as markup. */

/** What has this keeps its keys, which are no shortcuts of the host's then. */
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

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
  if (tag === "select") setAttributes(made, OWN_KEYS);
  if (properties.class) made.className = properties.class;
  setAttributes(made, properties.attributes ?? {});
  if (properties.text !== undefined) made.textContent = properties.text;
  made.append(...children);
  return made;
}

/** An element of a picture. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number> = {},
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** Sets those that differ: browsers find style and layout anew also where an attribute is set to what it was. */
export function setAttributes(target: Element, attributes: Record<string, string | number>) {
  for (const [name, value] of Object.entries(attributes)) {
    if (target.getAttribute(name) !== String(value)) target.setAttribute(name, String(value));
  }
}

/** Sets text only if it differs, so that live regions speak once and selections survive. */
export function setText(target: Element, text: string) {
  if (target.textContent !== text) target.textContent = text;
}
