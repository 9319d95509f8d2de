/** What panel 1 draws: bars, their medians, a line over them, axes, and marks on single batches. */

import { type BarLayout, createHighestPerColumn, createMedianPerColumn, layOutBars } from "../geometry/bars";
import { LEFT, RIGHT } from "../geometry/columns";
import { scaleLinear } from "../geometry/scales";
import { linearScale, scaleOf, type ValueScale } from "../geometry/value_scale";
import type { Range } from "../geometry/viewport";
import type { Quantity } from "../protocol/contract";
import type { Run } from "../state/run";
import type { Series } from "../state/series";
import type { State } from "../state/store";
import { formatCount, formatTick } from "../words/format";
import { axisTitles, QUANTITY_TEXT, seriesOf } from "../words/quantities";
import { taskOf } from "../words/task";
import { defineHatch, drawTicks, fittingText, rounded, type Svg } from "./plot";

const TOP = 34;
const PLOT = 80;
const AXIS = 20;
const BASE = TOP + PLOT;
export const HEIGHT = BASE + AXIS;
const TICK_DISTANCE = 90;
/** Room for the axis of the line, at the right. */
const LINE_AXIS = 66;
const BETWEEN_TITLES = 8;
/** The line stays clear of the top. */
const HEADROOM = 1.08;
/** Bars of more pixels leave a gap of one. */
const GAPLESS = 2;

/** What is drawn at present. */
export interface Drawing {
  layout: BarLayout;
  series: Series;
  /** Index of the recorded batch that each column draws. */
  peaks: Float64Array;
  /** First batch that is drawn, and the one after the last. */
  from: number;
  to: number;
}

export interface OverviewPlot {
  draw(state: State, window: Range | null, width: number): Drawing;
  /** Marks the selected batch and the previewed one; null or a batch out of view: none. */
  mark(run: Run, selected: number | null, preview: number | null): void;
  /** The recorded batch under a position: of a pixel column's batches the highest, which is the one that is drawn. */
  indexAt(x: number, y: number): number | null;
}

/** Width of the plot itself. */
export const plotWidth = (width: number, overlay: Quantity | null) =>
  Math.max(1, width - LEFT - (overlay ? LINE_AXIS : RIGHT));

export function createOverviewPlot(svg: Svg): OverviewPlot {
  const hatch = defineHatch(svg, "diverged");
  const valueAxis = svg.append("g").attr("class", "axis values");
  const lineAxis = svg.append("g").attr("class", "axis of-line");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  const lineTitle = svg.append("text").attr("class", "axis-title of-line").attr("text-anchor", "end").attr("y", 10);
  const bars = svg.append("path").attr("class", "bars");
  const medians = svg.append("path").attr("class", "medians");
  const clipped = svg.append("path").attr("class", "clipped");
  const below = svg.append("path").attr("class", "below");
  const divergedBars = svg.append("g").attr("class", "diverged-bars");
  const selectedLine = svg.append("rect").attr("class", "selected-line").attr("y", TOP).attr("height", PLOT);
  const selectedBar = svg.append("rect").attr("class", "selected-bar");
  const selectedMark = svg.append("path").attr("class", "selected-mark").attr("d", "M-5,0h10l-5,6z");
  const previewBar = svg.append("rect").attr("class", "preview-bar");
  const joined = svg.append("path").attr("class", "joined");
  const halo = svg.append("path").attr("class", "line-halo");
  const line = svg.append("path").attr("class", "line");
  const levelLines = svg.append("g").attr("class", "levels");
  const batchAxis = svg.append("g").attr("class", "axis batches");
  const batchTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("batch");
  batchTitle.attr("x", LEFT - 8).attr("y", BASE + 15);

  const highestPerColumn = createHighestPerColumn();
  const medianPerColumn = createMedianPerColumn();
  const medianOfLine = createMedianPerColumn();
  let layout: BarLayout = layOutBars(0, null, 1);
  let scale: ValueScale = linearScale(1, BASE, TOP);
  let drawing: Drawing | null = null;

  const left = (column: number) => LEFT + layout.left(column);
  function barWidth(column: number) {
    const wide = layout.right(column) - layout.left(column);
    return wide > GAPLESS ? wide - 1 : Math.max(1, wide);
  }
  const center = (column: number) => left(column) + barWidth(column) / 2;
  /** A path of one subpath for each column that has one. */
  const columnPath = (subpath: (column: number) => string) =>
    Array.from({ length: layout.columns }, (_, column) => subpath(column)).join("");
  const bar = (column: number, value: number) =>
    `M${left(column)},${BASE}V${rounded(scale.y(value))}h${barWidth(column)}V${BASE}Z`;

  function drawBars(state: State) {
    const { run, quantity, log_scale } = state;
    const series = seriesOf(quantity, state);
    const values = series.values();
    const from = layout.first(0);
    const to = layout.columns > 0 ? layout.first(layout.columns) : from;
    scale = scaleOf(
      series,
      from,
      to,
      { log: log_scale, whole: QUANTITY_TEXT[quantity].whole, level: levelOf(quantity, state) },
      BASE,
      TOP,
    );
    const peaks = highestPerColumn(series, layout);
    bars.attr(
      "d",
      columnPath((column) => bar(column, values[peaks[column]])),
    );
    bars.classed("peaks", layout.perColumn > 1);
    const middles = layout.perColumn > 1 ? medianPerColumn(series, layout) : null;
    // Columns of one pixel leave no gaps: one outline serves all.
    medians.attr(
      "d",
      middles && `M${LEFT},${BASE}${columnPath((column) => `V${rounded(scale.y(middles[column]))}h1`)}V${BASE}Z`,
    );
    const isNorm = quantity === "grad_norm" || quantity === "update_norm";
    const anyClipped = (column: number) => run.countClipped(layout.first(column), layout.first(column + 1)) > 0;
    clipped.attr(
      "d",
      isNorm
        ? columnPath((column) =>
            anyClipped(column)
              ? `M${left(column)},${rounded(scale.y(values[peaks[column]]) - 4)}h${barWidth(column)}v3h${-barWidth(column)}Z`
              : "",
          )
        : null,
    );
    const anyZero = (column: number) => series.countZeros(layout.first(column), layout.first(column + 1)) > 0;
    below.attr(
      "d",
      log_scale
        ? columnPath((column) =>
            anyZero(column) ? `M${left(column)},${BASE + 1}h${barWidth(column)}v3h${-barWidth(column)}Z` : "",
          )
        : null,
    );
    const tops = peaks.map((index) => values[index]);
    joined.attr("d", QUANTITY_TEXT[quantity].sparse ? linePath(tops, scale, true) : null);
    drawing = { layout, series, peaks, from, to };
    return drawing;
  }

  /** A line through the columns that have a value; over the others it is joined, or broken. */
  function linePath(values: ArrayLike<number>, on: ValueScale, join: boolean): string {
    let path = "";
    let pen = "M";
    for (let column = 0; column < values.length; column += 1) {
      const known = Number.isFinite(values[column]);
      if (known) path += `${pen}${center(column)},${rounded(on.y(values[column]))}`;
      if (known || !join) pen = known ? "L" : "M";
    }
    return path;
  }

  function drawLine(state: State, right: number) {
    const { overlay } = state;
    for (const part of [lineAxis, lineTitle, line, halo]) part.classed("hidden", !overlay);
    if (!overlay) return;
    const middles = medianOfLine(seriesOf(overlay, state), layout);
    const most = middles.reduce((held, value) => (value > held ? value : held), 0);
    const own = linearScale(
      HEADROOM * Math.max(most, levelOf(overlay, state) ?? 0),
      BASE,
      TOP,
      QUANTITY_TEXT[overlay].whole,
    );
    const path = linePath(middles, own, QUANTITY_TEXT[overlay].sparse ?? false);
    // A line of one point has no length: the round cap makes it a dot.
    for (const part of [line, halo]) part.attr("d", layout.columns === 1 ? `${path}h0` : path);
    if (state.quantity !== "loss") drawLevels(overlay, own, state, right);
    drawTicks(lineAxis, own, right + 6, null, 8);
  }

  /** Both axes have theirs in one row. */
  function drawTitles(state: State, width: number) {
    const { quantity, overlay } = state;
    const room = overlay ? width / 2 - BETWEEN_TITLES : width;
    title.text(fittingText(axisTitles(quantity, state), room));
    if (!overlay) return;
    const titles = axisTitles(overlay, state).map((text) => `line: ${text}`);
    lineTitle.attr("x", width).text(fittingText(titles, room));
  }

  /** Losses to compare with, as labelled lines: of who misses the point, and the least of any. */
  function drawLevels(quantity: Quantity, own: ValueScale, { info, log_scale }: State, right: number) {
    const { baseline, baseline_name, least, least_name } = taskOf(info);
    const levels = [
      { value: baseline, text: `baseline ${formatTick(Number((baseline ?? 0).toPrecision(3)))}: ${baseline_name}` },
      { value: least, text: `least ${formatTick(Number((least ?? 0).toPrecision(3)))}: ${least_name}` },
    ].filter((level): level is { value: number; text: string } => quantity === "loss" && level.value !== null);
    const seen = levels.filter(({ value }) => !(log_scale && own.y(value) >= BASE));
    const groups = levelLines
      .selectAll<SVGGElement, (typeof seen)[number]>("g")
      .data(seen)
      .join((enter) => {
        const group = enter.append("g");
        group.append("line");
        group.append("text").attr("class", "halo");
        group.append("text").attr("class", "words");
        return group;
      })
      .attr("data-level", ({ value }) => value)
      .attr("transform", ({ value }) => `translate(0,${rounded(own.y(value)) + 0.5})`);
    groups.select("line").attr("x1", LEFT).attr("x2", right);
    for (const kind of [".halo", ".words"]) {
      groups
        .select(kind)
        .attr("x", right - 4)
        .attr("y", (_, index) => (index === 0 ? -4 : 11))
        .text(({ text }) => text);
    }
  }

  function drawDiverged(run: Run) {
    const columns = new Set<number>();
    for (const index of run.divergedBatches()) {
      const column = layout.columnOf(index);
      if (column !== null) columns.add(column);
    }
    divergedBars
      .selectAll<SVGGElement, number>("g")
      .data(columns)
      .join((enter) => {
        const group = enter.append("g");
        group.append("rect").attr("y", TOP).attr("height", PLOT).attr("fill", hatch);
        group.append("path").attr("class", "cross").attr("d", "M-4,-4L4,4M-4,4L4,-4");
        return group;
      })
      .attr("transform", (column) => `translate(${left(column)},0)`)
      .each(function place(column) {
        const wide = Math.max(5, barWidth(column));
        this.querySelector("rect")?.setAttribute("width", String(wide));
        this.querySelector("path")?.setAttribute("transform", `translate(${wide / 2},${TOP - 6})`);
      });
  }

  function drawBatchAxis(run: Run, from: number, to: number) {
    const batches = run.batches();
    const used = layout.columns > 0 ? layout.right(layout.columns - 1) : 0;
    const [first, last] = [batches[from], batches[to - 1]];
    let drawnTo = Number.NEGATIVE_INFINITY;
    const ticks = scaleLinear([first, Math.max(last, first + 1)], [0, 1])
      .ticks(Math.max(1, Math.floor(used / TICK_DISTANCE)))
      .filter((tick) => Number.isInteger(tick) && tick >= first && tick <= last)
      .map((tick) => ({ tick, x: center(layout.columnOf(run.nearest(tick)) ?? 0) }))
      // Where the recording interval changed, nice numbers may lie close together.
      .filter(({ x }) => {
        const clear = x - drawnTo > TICK_DISTANCE / 2;
        if (clear) drawnTo = x;
        return clear;
      });
    batchAxis
      .selectAll<SVGGElement, { tick: number; x: number }>("g")
      .data(ticks)
      .join((enter) => {
        const group = enter.append("g");
        group.append("line").attr("y2", 4);
        group.append("text").attr("y", 15);
        return group;
      })
      .attr("transform", ({ x }) => `translate(${x},${BASE})`)
      .select("text")
      .text(({ tick }) => formatCount(tick));
  }

  return {
    draw(state, window, width) {
      const inner = plotWidth(width, state.overlay);
      layout = layOutBars(state.run.length, window, inner);
      const drawn = drawBars(state);
      drawTicks(valueAxis, scale, LEFT, LEFT + inner, -6);
      drawLevels(state.quantity, scale, state, LEFT + inner);
      drawLine(state, LEFT + inner);
      drawTitles(state, width);
      drawDiverged(state.run);
      drawBatchAxis(state.run, drawn.from, drawn.to);
      return drawn;
    },
    mark(run, selected, preview) {
      const place = (index: number | null) => {
        const column = index === null ? null : layout.columnOf(index);
        if (index === null || column === null || !drawing) return null;
        const wide = Math.max(3, barWidth(column));
        const y = scale.y(drawing.series.values()[index]);
        return { x: left(column) + (barWidth(column) - wide) / 2, wide, y, height: BASE - y };
      };
      const chosen = place(selected);
      for (const part of [selectedLine, selectedBar, selectedMark]) part.classed("hidden", !chosen);
      if (chosen && selected !== null) {
        selectedLine.attr("x", chosen.x).attr("width", chosen.wide);
        selectedBar.attr("x", chosen.x).attr("width", chosen.wide).attr("y", chosen.y).attr("height", chosen.height);
        selectedBar.attr("data-batch", run.batches()[selected]);
        const raised = TOP - (run.diverged(selected) ? 19 : 9);
        selectedMark.attr("transform", `translate(${chosen.x + chosen.wide / 2},${raised})`);
      }
      const shown = place(preview);
      previewBar.classed("hidden", !shown);
      if (!shown) return;
      previewBar
        .attr("x", shown.x - 0.5)
        .attr("width", shown.wide + 1)
        .attr("y", shown.y)
        .attr("height", shown.height);
    },
    indexAt(x, y) {
      const column = y < TOP || !drawing ? null : layout.columnAt(x - LEFT);
      return column === null || !drawing ? null : drawing.peaks[column];
    },
  };
}

/** What a quantity is to be compared with; null if there is no such thing. */
const levelOf = (quantity: Quantity, { info }: State) => (quantity === "loss" ? taskOf(info).baseline : null);
