/** How a plot is zoomed and moved: the wheel, a drag, and keys. All plots over the steps act on the same window. */

import { pointer } from "d3-selection";
import type { Gestures, Shown } from "../figure/figure";
import { isWhole, pan, type StepWindow, whole, zoom } from "../geometry/step_window";
import type { Svg } from "./plot";

const WHEEL = 500;
const KEY_FACTOR = 1.5;
/** A press that moves less than this is a click. */
const SLOP = 4;

/** Answers the keys + − 0 and shift with an arrow; tells whether it did. */
export function zoomByKey(event: KeyboardEvent, shown: Shown, gestures: Gestures): boolean {
  const { view, snapshot } = shown;
  const { steps } = snapshot;
  const anchor = view.first + view.count / 2;
  const by = Math.max(1, Math.round(view.count / 8));
  const windows: Record<string, () => StepWindow> = {
    "+": () => zoom(view, steps, 1 / KEY_FACTOR, anchor),
    "=": () => zoom(view, steps, 1 / KEY_FACTOR, anchor),
    "-": () => zoom(view, steps, KEY_FACTOR, anchor),
    "0": () => whole(steps),
    ...(event.shiftKey && { ArrowLeft: () => pan(view, steps, -by), ArrowRight: () => pan(view, steps, by) }),
  };
  if (!(event.key in windows)) return false;
  gestures.zoom(windows[event.key]());
  return true;
}

export function makeZoomable(svg: Svg, gestures: Gestures, shownNow: () => Shown | null) {
  let dragged: { from: number; view: StepWindow; moved: boolean } | null = null;

  function onWheel(event: WheelEvent) {
    const shown = shownNow();
    if (!shown) return;
    const { view, columns, snapshot, ample } = shown;
    const asked = event.ctrlKey || event.metaKey;
    if (!asked && (ample || !svg.node()?.matches(":focus"))) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    const anchor = view.first + (pointer(event, svg.node())[0] - columns.left) / columns.width;
    const next =
      Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)
        ? pan(view, snapshot.steps, (lines * sideways) / columns.width)
        : zoom(view, snapshot.steps, Math.exp((lines * event.deltaY) / WHEEL), anchor);
    // At the end of what can be zoomed the page scrolls on, unless that would zoom the page.
    if (!asked && next.first === view.first && next.count === view.count) return;
    event.preventDefault();
    gestures.zoom(next);
  }

  svg
    .on("wheel.zoom", onWheel, { passive: false })
    .on("pointerdown.zoom", (event: PointerEvent) => {
      const shown = shownNow();
      if (!shown || event.button !== 0 || isWhole(shown.view, shown.snapshot.steps)) return;
      dragged = { from: event.clientX, view: shown.view, moved: false };
    })
    .on("pointermove.zoom", (event: PointerEvent) => {
      const shown = shownNow();
      if (!dragged || !shown || event.buttons === 0) return;
      const by = event.clientX - dragged.from;
      if (!dragged.moved && Math.abs(by) < SLOP) return;
      if (!dragged.moved) svg.node()?.setPointerCapture(event.pointerId);
      dragged.moved = true;
      gestures.zoom(pan(dragged.view, shown.snapshot.steps, -by / shown.columns.width));
    })
    .on("pointercancel.zoom", () => {
      dragged = null;
    })
    .on(
      "click.zoom",
      (event: MouseEvent) => {
        if (dragged?.moved) event.stopImmediatePropagation();
        dragged = null;
      },
      { capture: true },
    );
}
