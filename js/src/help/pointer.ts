/**
 * An outline around a part of the live picture, and a line that leads to it from where it is explained. It looks for
 * both before every frame that the browser paints while it is shown, so that it follows whatever moves.
 */

import { setAttributes, svgElement } from "../browser/dom";
import { findTarget } from "./targets";

export interface Pointing {
  /** Where the selectors are looked for. */
  within: ParentNode;
  selectors: readonly string[];
  /** Where the line comes from. */
  from: Element;
  /** Told where the target is whenever that has changed; in pixels from the view's upper left corner. */
  onMove?(target: Box | null): void;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const AROUND = 3;

/** Returns the function that ends it. */
export function pointAt(root: HTMLElement, { within, selectors, from, onMove }: Pointing): () => void {
  const outline = svgElement("rect");
  const leader = svgElement("path");
  const picture = svgElement("svg", { class: "pointer", "aria-hidden": "true" }, leader, outline);
  root.append(picture);
  let told: string | null = null;
  let request = 0;

  function boxOf(element: Element): Box {
    const frame = root.getBoundingClientRect();
    const { left, top, width, height } = element.getBoundingClientRect();
    // Outlined marks stay within the view, or its host would show bars to scroll by.
    const x = Math.max(1, left - frame.left - AROUND);
    const right = Math.min(frame.width - 1, left - frame.left + width + AROUND);
    return { x, y: top - frame.top - AROUND, width: Math.max(1, right - x), height: height + 2 * AROUND };
  }

  function follow() {
    if (!root.isConnected) return picture.remove(); // the view was closed
    request = requestAnimationFrame(follow);
    const found = findTarget(within, selectors);
    const target = found && boxOf(found);
    const origin = boxOf(from);
    const now = JSON.stringify([target, origin]);
    if (now === told) return;
    told = now;
    picture.style.display = target ? "" : "none";
    if (target) {
      setAttributes(outline, { ...target });
      leader.setAttribute("d", leaderPath(origin, target));
    }
    onMove?.(target);
  }

  follow();
  return () => {
    cancelAnimationFrame(request);
    picture.remove();
  };
}

/** From the nearer edge of one box to that of the other; nothing if they meet. */
export function leaderPath(from: Box, to: Box): string {
  const below = to.y >= from.y + from.height;
  const above = to.y + to.height <= from.y;
  if (!below && !above) return "";
  const middle = to.x + to.width / 2;
  const x = Math.max(from.x + 12, Math.min(from.x + from.width - 12, middle));
  const [start, end] = below ? [from.y + from.height, to.y] : [from.y, to.y + to.height];
  return `M${x},${start}L${middle},${end}`;
}
