/** Where in a live picture an explanation points. */

/** Of the elements of the first selector that has any in view, the largest; null if there is none. */
export function findTarget(root: ParentNode, selectors: readonly string[]): Element | null {
  for (const selector of selectors) {
    let found: Element | null = null;
    let most = 0;
    for (const candidate of root.querySelectorAll(selector)) {
      const { width, height } = candidate.getBoundingClientRect();
      const size = (width + 1) * (height + 1);
      if (candidate.getClientRects().length > 0 && width + height > 0 && size > most) [found, most] = [candidate, size];
    }
    if (found) return found;
  }
  return null;
}
