/** What keys do in the plots: whose they are, and where those lead that walk. */

import type { Gestures } from "../figure/figure";
import { type Focus, focusedLoss } from "../geometry/focus";

/** So far the page keys lead. */
const PAGE = 10;

/** Listens to keys. Those with Ctrl, Alt or ⌘ are the browser's; what is answered goes no further. */
export const answerKeys = (answer: (event: KeyboardEvent) => boolean) => (event: KeyboardEvent) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !answer(event)) return;
  event.preventDefault();
  event.stopPropagation();
};

/** Where a key leads from one of many things in a line, `by` being how far an arrow does; null if it leads nowhere. */
export function walk(
  key: string,
  from: number,
  { first = 0, last, by = 1 }: { first?: number; last: number; by?: number },
) {
  const places: Record<string, number> = {
    ArrowLeft: from - by,
    ArrowRight: from + by,
    PageUp: from - PAGE,
    PageDown: from + PAGE,
    Home: first,
    End: last,
  };
  return key in places ? Math.max(first, Math.min(last, places[key])) : null;
}

/** An arrow as a step to the right and upwards; null for other keys. */
export function arrowOf(key: string): [right: number, up: number] | null {
  const arrows: Record<string, [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
  };
  return arrows[key] ?? null;
}

/** Escape lets go of a loss; Enter and the space bar pin the one that is pointed at. Tells whether it did. */
export function pinByKey(key: string, focus: Focus, gestures: Gestures): boolean {
  if (key === "Escape") {
    gestures.point(null);
    gestures.pin(null);
    return true;
  }
  const loss = focusedLoss(focus);
  if (loss === null || (key !== "Enter" && key !== " ")) return false;
  gestures.pin(loss);
  return true;
}
