/** What is pointed at and pinned, and which steps are in view: in one view, or in all sides of a comparison at once. */

import type { Zoomed } from "../figure/arrange";
import type { Gestures } from "../figure/figure";
import { type Focus, sameTarget } from "../geometry/focus";
import { within } from "../geometry/step_window";
import type { Work } from "./scheduling";

const NOTHING: Focus = { target: null, pinned: null };

export interface Pointing {
  readonly focus: Focus;
  /** What the person zoomed to. */
  readonly zoomed: Zoomed | null;
  /** What panels tell of it. */
  gestures: Pick<Gestures, "point" | "pin" | "zoom">;
  /** Takes in how many steps the batch has that is drawn next. What is pointed at or pinned beyond them is let go of. */
  fit(steps: number): void;
  /** What is drawn is not what is to be shown: nothing in it is pointed at. */
  leave(): void;
  /** Pins a loss that nobody clicked on. */
  pinFrom(loss: number): void;
}

export function createPointing(schedule: (work: Work) => void): Pointing {
  let focus = NOTHING;
  let zoomed: Zoomed | null = null;
  /** Of the batch that is drawn; 0: none is. */
  let steps = 0;

  return {
    get focus() {
      return focus;
    },
    get zoomed() {
      return zoomed;
    },
    gestures: {
      point(target) {
        if (sameTarget(target, focus.target)) return;
        focus = { ...focus, target };
        schedule("highlight");
      },
      pin(loss) {
        focus = { ...focus, pinned: loss === focus.pinned ? null : loss };
        schedule("highlight");
      },
      zoom(view) {
        if (steps === 0) return;
        zoomed = { view: within(view, steps), steps };
        schedule("all");
      },
    },
    fit(next) {
      steps = next;
      if (Math.max(focus.pinned ?? 0, focus.target?.step ?? 0) >= steps) focus = NOTHING;
    },
    leave() {
      focus = { ...focus, target: null };
    },
    pinFrom(pinned) {
      focus = { ...focus, pinned };
    },
  };
}
