/** Pointer, wheel and keys in panel 1. */

import { pointer } from "d3-selection";
import type { Figure, Gestures } from "../figure/figure";
import type { Viewport } from "../geometry/viewport";
import type { Commands } from "../session/session";
import { answerKeys, walk } from "./keys";
import type { OverviewPlot } from "./overview_plot";
import type { Svg } from "./plot";

export interface OverviewState {
  readonly figure: Figure | null;
  readonly viewport: Viewport;
  /** Position in the run, with its fraction, under a horizontal position. */
  positionAt(x: number): number;
  /** Part of the plot's width that lies before a horizontal position. */
  partAt(x: number): number;
  select(index: number): void;
  /** Selects the nearest batch worth looking at, after or before the selected one. */
  selectCue(direction: 1 | -1): void;
  /** Selects the nearest batch with details, if those of the selected one are not there. */
  selectDetailed(): void;
  redraw(): void;
}

/** A pointer that moves less than this clicks, and does not drag. */
const SLACK = 4;
const ZOOM_STEP = 2;
const PAN_STEP = 0.25;
/** Doublings per pixel of the wheel, and the most that one event does: a notch of a mouse is far more than a pinch. */
const WHEEL_RATE = 0.01;
const WHEEL_MOST = 0.6;
const LINE_PIXELS = 16;

export function steerByPointer(svg: Svg, plot: OverviewPlot, state: OverviewState, gestures: Gestures) {
  let pressed: { x: number; start: number } | null = null;
  let dragging = false;

  const indexAt = (event: PointerEvent | MouseEvent) => {
    const [x, y] = pointer(event, svg.node());
    return plot.indexAt(x, y);
  };
  const batchesPerPixel = () => state.positionAt(1) - state.positionAt(0);

  function drag(event: PointerEvent): boolean {
    if (!pressed || !state.viewport.window) return false;
    const moved = pointer(event, svg.node())[0] - pressed.x;
    if (!dragging && Math.abs(moved) < SLACK) return false;
    if (!dragging) svg.node()?.setPointerCapture(event.pointerId);
    dragging = true;
    svg.classed("dragging", true);
    gestures.preview(null);
    state.viewport.pan(pressed.start - moved * batchesPerPixel() - state.viewport.window.start);
    state.redraw();
    return true;
  }

  function release() {
    pressed = null;
    svg.classed("dragging", false);
  }

  function wheel(event: WheelEvent) {
    const { viewport, figure } = state;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    if (event.ctrlKey || event.metaKey) {
      if (!figure || !viewport.zoomable) return;
      event.preventDefault();
      const doublings = Math.max(-WHEEL_MOST, Math.min(WHEEL_MOST, event.deltaY * unit * WHEEL_RATE));
      const [x] = pointer(event, svg.node());
      viewport.zoom(state.positionAt(x), 2 ** doublings, state.partAt(x));
      state.redraw();
      return;
    }
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (!viewport.window || Math.abs(sideways) < Math.abs(event.shiftKey ? 0 : event.deltaY) || sideways === 0) return;
    event.preventDefault();
    gestures.preview(null);
    viewport.pan(sideways * unit * batchesPerPixel());
    state.redraw();
  }

  svg
    .on("pointerdown", (event: PointerEvent) => {
      dragging = false;
      if (event.button === 0 && state.viewport.window) {
        pressed = { x: pointer(event, svg.node())[0], start: state.viewport.window.start };
      }
      gestures.preview(indexAt(event));
    })
    .on("pointermove", (event: PointerEvent) => {
      if (!drag(event)) gestures.preview(indexAt(event));
    })
    .on("pointerup pointercancel", release)
    .on("pointerleave", () => gestures.preview(null))
    .on("click", (event: MouseEvent) => {
      const index = dragging ? null : indexAt(event);
      dragging = false;
      if (index !== null) state.select(index);
    })
    .on("dblclick", () => {
      state.viewport.showAll();
      state.redraw();
    });
  svg.node()?.addEventListener("wheel", wheel, { passive: false });
}

export function steerByKeys(svg: Svg, state: OverviewState, commands: Commands, gestures: Gestures) {
  /** What stays where it is when keys zoom: the selected batch if it is in view. */
  function anchor({ state: { selected: number }, selected }: Figure): number {
    const { start, end } = state.viewport.range;
    if (selected < start || selected >= end) return (start + end) / 2;
    return number === null && selected >= end - 1 ? end : selected + 0.5;
  }

  function changeView(key: string, shift: boolean, figure: Figure): boolean {
    const { viewport } = state;
    const { start, end } = viewport.range;
    const actions: Record<string, () => void> = {
      "+": () => viewport.zoom(anchor(figure), 1 / ZOOM_STEP),
      "-": () => viewport.zoom(anchor(figure), ZOOM_STEP),
      "0": viewport.showAll,
    };
    if (shift) {
      actions.ArrowLeft = () => viewport.pan(PAN_STEP * (start - end));
      actions.ArrowRight = () => viewport.pan(PAN_STEP * (end - start));
    }
    const action = actions[{ "=": "+", "−": "-", _: "-" }[key] ?? key];
    if (!action) return false;
    gestures.preview(null);
    action();
    state.redraw();
    return true;
  }

  function changeSelection(key: string, { selected, state: { run } }: Figure): boolean {
    const to = walk(key, selected, { last: run.length - 1 });
    if (key === "Escape") commands.select(null);
    else if (key === "n") state.selectCue(1);
    else if (key === "p") state.selectCue(-1);
    else if (key === "d") state.selectDetailed();
    else if (to !== null) state.select(to);
    else return false;
    return true;
  }

  svg.on(
    "keydown",
    answerKeys(({ key, shiftKey }) => {
      gestures.settle();
      const { figure } = state;
      if (!figure || figure.selected < 0) return false;
      return changeView(key, shiftKey, figure) || changeSelection(key, figure);
    }),
  );
}
