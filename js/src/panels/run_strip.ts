/** The whole run in a narrow strip under the overview, with the window that the overview shows as a brush. */

import { pointer } from "d3-selection";
import { createInputs } from "../figure/inputs";
import { type BarLayout, createHighestPerColumn, layOutBars } from "../geometry/bars";
import { LEFT } from "../geometry/columns";
import { scaleOf } from "../geometry/value_scale";
import type { Range, Viewport } from "../geometry/viewport";
import type { State } from "../state/store";
import { seriesOf } from "../words/quantities";
import { plotWidth } from "./overview_plot";
import { createSvg, rounded } from "./plot";

const TOP = 2;
const BASE = 24;
const HEIGHT = 30;
/** A pointer this near to an edge of the brush moves the edge. */
const REACH = 6;
/** The brush can be seen and held however little it covers. */
const NARROWEST = 8;

type Grip = "start" | "end" | "both" | "new";

export interface RunStrip {
  update(state: State, width: number, selected: number): void;
}

export function createRunStrip(parent: HTMLElement, viewport: () => Viewport, redraw: () => void): RunStrip {
  const svg = createSvg(parent, HEIGHT).attr("class", "context").attr("role", "img");
  svg.attr("aria-label", "The whole run. The part that is shown above can be moved and resized here.");
  const ground = svg.append("rect").attr("class", "ground").attr("x", LEFT).attr("y", TOP);
  ground.attr("height", BASE - TOP);
  const bars = svg.append("path").attr("class", "context-bars");
  const selectedMark = svg.append("path").attr("class", "selected-mark").attr("d", `M-3,${HEIGHT}h6l-3,-5z`);
  const brush = svg
    .append("rect")
    .attr("class", "brush")
    .attr("y", TOP)
    .attr("height", BASE - TOP);
  const edges = svg.append("path").attr("class", "brush-edges");

  const highestPerColumn = createHighestPerColumn();
  let layout: BarLayout = layOutBars(0, null, 1);
  let length = 0;
  const inputs = createInputs();
  let held: { grip: Grip; position: number; range: Range } | null = null;

  const offset = (event: PointerEvent) => pointer(event, svg.node())[0] - LEFT;

  function brushed(): { left: number; right: number } {
    const { start, end } = viewport().range;
    const [left, right] = [layout.offsetOf(start), layout.offsetOf(end)];
    const missing = Math.max(0, NARROWEST - (right - left)) / 2;
    return { left: left - missing, right: right + missing };
  }

  function gripAt(at: number): Grip {
    if (!viewport().window) return "new";
    const { left, right } = brushed();
    if (Math.abs(at - left) < REACH && at < (left + right) / 2) return "start";
    if (Math.abs(at - right) < REACH) return "end";
    return at > left && at < right ? "both" : "new";
  }

  function move(at: number) {
    if (!held) return;
    const { grip, position, range } = held;
    const now = Math.max(0, Math.min(length, layout.positionAt(at)));
    if (grip === "both") viewport().pan(range.start + now - position - viewport().range.start);
    else if (grip === "start") viewport().show(ordered(Math.min(now, range.end), range.end));
    else if (grip === "end") viewport().show(ordered(range.start, Math.max(now, range.start)));
    else if (Math.abs(layout.offsetOf(now) - layout.offsetOf(position)) > 2) viewport().show(ordered(position, now));
    redraw();
  }

  svg
    .on("pointerdown", (event: PointerEvent) => {
      if (event.button !== 0) return;
      svg.node()?.setPointerCapture(event.pointerId);
      held = { grip: gripAt(offset(event)), position: layout.positionAt(offset(event)), range: viewport().range };
      event.preventDefault();
    })
    .on("pointermove", (event: PointerEvent) => {
      if (held) move(offset(event));
      else svg.attr("data-grip", gripAt(offset(event)));
    })
    .on("pointerup pointercancel", () => {
      held = null;
    })
    .on("dblclick", () => {
      viewport().showAll();
      redraw();
    });

  function drawBars(state: State, width: number) {
    const { run, quantity, log_scale, overlay } = state;
    const inner = plotWidth(width, overlay);
    layout = layOutBars(run.length, null, inner);
    const series = seriesOf(quantity, state);
    const values = series.values();
    const scale = scaleOf(series, 0, run.length, { log: log_scale, whole: false }, BASE, TOP);
    const path = Array.from(highestPerColumn(series, layout), (index, column) => {
      const x = LEFT + layout.left(column);
      return `M${x},${BASE}V${rounded(scale.y(values[index]))}H${LEFT + layout.right(column)}V${BASE}Z`;
    });
    svg.attr("width", width);
    ground.attr("width", inner);
    bars.attr("d", path.join(""));
  }

  return {
    update(state, width, selected) {
      length = state.run.length;
      const columns = layOutBars(length, null, plotWidth(width, state.overlay));
      const useful = viewport().window !== null || columns.perColumn > 1;
      svg.classed("hidden", !useful);
      if (!useful) {
        inputs.forget();
        return;
      }
      const { run, quantity, measure, log_scale, overlay } = state;
      if (inputs.changed(run, length, quantity, measure, log_scale, overlay, width)) drawBars(state, width);
      const column = selected < 0 ? null : layout.columnOf(selected);
      selectedMark.classed("hidden", column === null);
      if (column !== null) {
        selectedMark.attr("transform", `translate(${LEFT + (layout.left(column) + layout.right(column)) / 2},0)`);
      }
      const { left, right } = brushed();
      const shown = viewport().window !== null;
      brush.classed("hidden", !shown);
      edges.classed("hidden", !shown);
      brush.attr("x", LEFT + left).attr("width", right - left);
      edges.attr("d", `M${LEFT + left},${TOP}V${BASE}M${LEFT + right},${TOP}V${BASE}`);
    },
  };
}

const ordered = (a: number, b: number): Range => ({ start: Math.min(a, b), end: Math.max(a, b) });
