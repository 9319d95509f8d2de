/** Panel 3 as a heat map: one column for each step that received, one row for each loss that sent, or each lag. */

import { element } from "../browser/dom";
import { createSegments } from "../controls/segments";
import type { Extent, Shown } from "../figure/figure";
import { sends } from "../geometry/decay";
import { type Focus, focusedLoss } from "../geometry/focus";
import { type Bins, binCells, binColumns, largestPieces, type RowRange, type Rows, rowsInView } from "../geometry/heat";
import { createHeatScale, createPixelColors, type HeatScale } from "../geometry/heat_scale";
import { sizeExtent } from "../geometry/log_axis";
import { scaleLinear } from "../geometry/scales";
import { hasLag, horizonOf, lagsOf, pieceAt, stepsOf } from "../protocol/lags";
import { MEASURE_TEXT } from "../words/measures";
import { senderName } from "../words/surface_text";
import { type Box, type GradientForm, type Place, TOP } from "./gradient_form";
import { createHeatLegend } from "./heat_legend";
import { paintRows } from "./pixel_rows";
import { drawValueAxis, type Svg } from "./plot";

const PLOT = 280;
const BASE = TOP + PLOT;
const rowName = (rows: Rows, surface: string) =>
  rows === "lag" ? "lag t − j" : `step t of the ${senderName(surface)} that sent`;

interface Drawn {
  shown: Shown;
  range: RowRange;
  columnBins: Bins;
  rowBins: Bins;
  largest: Int32Array;
  ratio: number;
  notFinite: boolean;
}

/** Rows for each loss, unless so few lags were recorded that they would leave most of the plot empty. */
const rowsFor = ({ snapshot: { steps }, items }: Shown): Rows => (horizonOf(items) < steps / 2 ? "lag" : "loss");

/** `redraw` draws the panel again, after another choice of rows. */
export function createHeatMap(
  legendParent: HTMLElement,
  stage: HTMLElement,
  svg: Svg,
  redraw: () => void,
): GradientForm {
  const canvas = element("canvas", { class: "heat", attributes: { "aria-hidden": "true" } });
  canvas.hidden = true;
  stage.prepend(canvas);
  const choice = createSegments<Rows>(
    "Rows of the heat map",
    [
      { value: "loss", text: "row = loss", title: "One row for each step t whose loss sent gradient" },
      { value: "lag", text: "row = lag", title: "One row for each distance between the loss and the step, t − j" },
    ],
    (rows) => {
      chosen = rows;
      redraw();
    },
  );
  const legend = createHeatLegend(legendParent, choice.node);
  const content = svg.append("g").attr("class", "heat-marks hidden");
  const rowAxis = content.append("g").attr("class", "axis values");
  const rowTitle = content.append("text").attr("class", "axis-title").attr("y", 10);
  const row = content.append("path").attr("class", "same-loss-row");
  const cell = content.append("rect").attr("class", "pointed-cell");
  let chosen: Rows | null = null;
  let rows: Rows = "loss";
  let drawn: Drawn | null = null;
  let scale: HeatScale | null = null;
  let measured: { of: Float32Array; extent: Extent | null } | null = null;
  let litBy: Focus = { target: null, pinned: null };

  /** Looks at every piece, once for each batch. */
  function extentOf({ items }: Shown): Extent | null {
    if (measured?.of !== items.pieces) measured = { of: items.pieces, extent: sizeExtent(items.pieces) };
    return measured.extent;
  }

  function draw(shown: Shown) {
    const { snapshot, items, measure, columns, view, theme } = shown;
    const { steps } = snapshot;
    rows = chosen ?? rowsFor(shown);
    const range = rowsInView(rows, steps, items, view);
    const ratio = Math.max(1, window.devicePixelRatio);
    const columnBins = binColumns(columns, ratio);
    const rowBins = binCells(range.count, Math.round(PLOT * ratio));
    const largest = largestPieces(items.pieces, steps, items, rows, view, columnBins, rowBins, (loss) =>
      sends(loss, snapshot, items),
    );
    const extent = shown.extent ?? extentOf(shown);
    scale = extent && createHeatScale(extent);
    const signed = measure === "share";
    const color = createPixelColors(scale, theme, signed);
    const seen = { zero: false, notFinite: false };
    const colors = Uint32Array.from(largest, (piece) => {
      if (piece < 0) return 0;
      const value = items.pieces[piece];
      if (value === 0) seen.zero = true;
      else if (!Number.isFinite(value)) seen.notFinite = true;
      return color(value);
    });
    paint(colors, columnBins, rowBins);
    drawn = { shown, range, columnBins, rowBins, largest, ratio, notFinite: seen.notFinite };
    canvas.hidden = false;
    canvas.style.cssText = `left:${columns.left}px;top:${TOP}px;width:${columns.right - columns.left}px;height:${PLOT}px`;
    content.classed("hidden", false);
    drawRowAxis(range, shown);
    choice.set(rows);
    legend.update({ scale, theme, signed, name: MEASURE_TEXT[measure].value, ...seen });
    light(litBy);
  }

  /** Rows count upwards, as parts of a bar do. */
  function paint(colors: Uint32Array, columnBins: Bins, rowBins: Bins) {
    const { count, edges } = columnBins;
    const height = rowBins.edges[rowBins.count];
    const rows = Array.from({ length: rowBins.count }, (_, bin) => ({
      from: height - rowBins.edges[bin + 1],
      to: height - rowBins.edges[bin],
    }));
    paintRows(canvas, edges[count], height, rows, (bin, line) => {
      for (let column = 0; column < count; column += 1) {
        line.fill(colors[bin * count + column], edges[column], edges[column + 1]);
      }
    });
  }

  function drawRowAxis(range: RowRange, { columns, surface }: Shown) {
    const axis = scaleLinear([range.first - 0.5, range.first + range.count - 0.5], [BASE, TOP]);
    // No grid: its lines would hide cells.
    drawValueAxis(rowAxis, axis, columns.left, columns.right, axis.ticks(6).filter(Number.isInteger), -4);
    rowTitle.text(rowName(rows, surface));
  }

  /** Bottom and height of a row in pixels of the page; at least a pixel tall. */
  function rowPlace(index: number, { rowBins, ratio }: Drawn): [y: number, height: number] {
    const bin = rowBins.of[index];
    const [low, high] = [rowBins.edges[bin] / ratio, rowBins.edges[bin + 1] / ratio];
    const height = Math.max(1, high - low);
    return [BASE - low - height, height];
  }

  const rowOf = ({ step, lag }: { step: number; lag: number }, { range }: Drawn) =>
    (rows === "lag" ? lag : step + lag) - range.first;

  function light(focus: Focus) {
    litBy = focus;
    row.classed("hidden", true);
    cell.classed("hidden", true);
    if (!drawn) return;
    const { columns, snapshot, items } = drawn.shown;
    const loss = focusedLoss(focus);
    const reached = loss === null ? { first: 0, end: 0 } : stepsOf(loss, snapshot.steps, items);
    const first = Math.max(columns.first, reached.first);
    const last = Math.min(reached.end, columns.first + columns.count) - 1;
    if (loss !== null && last >= first) {
      row.classed("hidden", false).attr("d", rows === "loss" ? rowPath(loss, first, last) : lagPath(loss, first, last));
    }
    if (focus.target?.kind !== "part" || focus.target.lag === null || !columns.has(focus.target.step)) return;
    // What is pointed at may have been drawn of another batch, of which more was recorded.
    const pointed = box(focus.target.step, focus.target.lag);
    if (!pointed) return;
    const [x, y, width, height] = pointed;
    cell
      .classed("hidden", false)
      .attr("x", x - 1)
      .attr("y", y - 1)
      .attr("width", width + 2)
      .attr("height", height + 2);
  }

  function box(step: number, lag: number): Box | null {
    if (!drawn?.shown.columns.has(step)) return null;
    const { columns, snapshot, items } = drawn.shown;
    if (!hasLag(lag, lagsOf(step, snapshot.steps, items))) return null;
    const [y, height] = rowPlace(rowOf({ step, lag }, drawn), drawn);
    return [columns.x(step), y, Math.max(1, columns.x(step + 1) - columns.x(step)), height];
  }

  /** A frame around the pieces of a loss: they lie side by side. */
  function rowPath(loss: number, first: number, last: number): string {
    if (!drawn) return "";
    const { columns } = drawn.shown;
    const [y, height] = rowPlace(rowOf({ step: loss, lag: 0 }, drawn), drawn);
    const [from, to] = [columns.x(first), Math.max(columns.x(first) + 1, columns.x(last + 1))];
    return `M${from - 1},${y - 1}H${to + 1}V${y + height + 1}H${from - 1}Z`;
  }

  /** A line through the pieces of a loss: they fall to the right. */
  function lagPath(loss: number, first: number, last: number): string {
    const points = [];
    for (let step = first; drawn && step <= last; step += 1) {
      const [y, height] = rowPlace(rowOf({ step, lag: loss - step }, drawn), drawn);
      points.push(`${drawn.shown.columns.center(step)},${y + height / 2}`);
    }
    return points.length === 1 ? `M${points[0]}h1` : `M${points.join("L")}`;
  }

  function pick(x: number, y: number): Place | null {
    if (!drawn) return null;
    const { shown, columnBins, rowBins, largest, ratio } = drawn;
    const binAt = ({ edges, count }: Bins, pixel: number) => {
      const bin = edges.findIndex((edge) => edge > pixel) - 1;
      return pixel < 0 || bin < 0 || bin >= count ? null : bin;
    };
    const column = binAt(columnBins, (x - shown.columns.left) * ratio);
    const bin = binAt(rowBins, (BASE - y) * ratio);
    const piece = column === null || bin === null ? -1 : largest[bin * columnBins.count + column];
    if (piece < 0) return null;
    return pieceAt(piece, shown.items);
  }

  return {
    height: PLOT,
    get hint() {
      const surface = drawn?.shown.surface ?? "W_hh";
      return (
        `Each column is a step j that received, each row the ${rowName(rows, surface)}. Hover a cell to see all that ` +
        `its ${senderName(surface)} sent; click pins it.`
      );
    },
    extent: extentOf,
    draw,
    clear() {
      drawn = null;
      canvas.hidden = true;
      content.classed("hidden", true);
      legend.hide();
    },
    pick,
    box,
    light,
    rung: () => null,
    notes() {
      if (!drawn) return [];
      const { columnBins, rowBins, range, shown, notFinite } = drawn;
      const grouped = columnBins.count < shown.view.count || rowBins.count < range.count;
      return [
        ...(grouped ? ["A pixel shows the largest of the cells in it."] : []),
        ...(notFinite ? ["Values that are not finite are red."] : []),
      ];
    },
  };
}
