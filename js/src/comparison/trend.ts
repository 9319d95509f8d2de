/** Panel 1 of a comparison: one quantity over training, a line for each side. Hover previews a batch, click selects. */

import { pointer } from "d3-selection";
import { element, OWN_KEYS, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import { createInputs } from "../figure/inputs";
import { LEFT } from "../geometry/columns";
import { scaleLinear } from "../geometry/scales";
import { linearScale, logScale, type ValueScale } from "../geometry/value_scale";
import { createFrame } from "../panels/frame";
import { answerKeys, walk } from "../panels/keys";
import { createQuantitySelect } from "../panels/overview_controls";
import { createSvg, drawTicks, fittingText, makeSteerable, rounded } from "../panels/plot";
import type { Quantity, Task } from "../protocol/contract";
import type { State } from "../state/store";
import { formatCount, formatTick } from "../words/format";
import { axisTitles, QUANTITY_TEXT, seriesOf, valueText } from "../words/quantities";
import { taskOf } from "../words/task";
import { lineStyle } from "./line_styles";
import type { ComparisonCommands, ComparisonState } from "./session";
import { spreadLabels, type TrendPoint, trendPoints } from "./trend_lines";

const TOP = 22;
const PLOT = 130;
const BASE = TOP + PLOT;
const AXIS = 20;
/** Room for names at the right ends of the lines. */
const NAMES = 110;
const LABEL_DISTANCE = 14;
const TICK_DISTANCE = 90;

const HINT =
  "A line for each side: hover previews a batch in all of them, click selects it. Where batches share a place, the line is at their median.";
const KEYS =
  "Batches of all sides. Left and right arrow, Page Up and Down, Home and End select one; Escape follows the newest.";

export interface TrendFigure {
  comparison: ComparisonState;
  sides: readonly State[];
  width: number;
  /** The batch that all sides show. */
  batch: number | null;
}

export interface TrendGestures {
  preview(batch: number | null): void;
  settle(): void;
  announce(sentence: string): void;
}

export function createTrend(parent: HTMLElement, commands: ComparisonCommands, gestures: TrendGestures) {
  const { section, head, describe } = createFrame(parent, "trend", 1, "Over training", HINT);
  const choice = createQuantitySelect("quantity", "Lines", "What is drawn of each batch", []);
  choice.select.addEventListener("change", () => commands.choose("quantity", choice.select.value as Quantity));
  let logarithmic = false;
  const log = createButton("log-scale", "Log scale", () => commands.choose("log_scale", !logarithmic), {
    title: "Logarithmic axis",
  });
  const follow = createButton(
    "follow",
    "Follow newest",
    () => commands.select(figure?.comparison.selected === null ? figure.batch : null),
    { title: "Always show the newest recorded batch" },
  );
  head.append(element("div", { class: "choices", attributes: OWN_KEYS }, choice.field, log, follow));
  const readout = element("p", { class: "headline" });
  section.append(readout);
  const svg = createSvg(section, BASE + AXIS);
  makeSteerable(svg, KEYS);
  const valueAxis = svg.append("g").attr("class", "axis values");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  const baseline = svg.append("g").attr("class", "baseline");
  const baselineLine = baseline.append("line");
  const baselineName = baseline.append("text").attr("text-anchor", "end");
  const shownLine = svg.append("line").attr("class", "shown-batch").attr("y1", TOP).attr("y2", BASE);
  const lines = svg.append("g");
  const names = svg.append("g").attr("class", "line-names");
  const batchAxis = svg.append("g").attr("class", "axis batches");
  const batchTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("batch");
  batchTitle.attr("x", LEFT - 8).attr("y", BASE + 15);
  let figure: TrendFigure | null = null;
  const inputs = createInputs();
  const across = scaleLinear();

  /** The recorded batch nearest to a position, of any side. */
  function batchAt(x: number): number | null {
    if (!figure) return null;
    const wanted = across.invert(Math.max(LEFT, Math.min(x, LEFT + plotWidth(figure.width))));
    const found = figure.sides
      .filter(({ run }) => run.length > 0)
      .map(({ run }) => run.batches()[run.nearest(wanted)])
      .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
    return found[0] ?? null;
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => gestures.preview(batchAt(pointer(event, svg.node())[0])))
    .on("pointerleave", () => gestures.preview(null))
    .on("click", (event: MouseEvent) => selectBatch(batchAt(pointer(event, svg.node())[0])))
    .on(
      "keydown",
      answerKeys(({ key }) => onKey(key)),
    );

  function selectBatch(batch: number | null) {
    if (batch === null) return;
    gestures.preview(null);
    commands.select(batch);
    gestures.announce(`Batch ${formatCount(batch)} selected in all sides.`);
  }

  /** Keys go along the batches of the side that has most of them. */
  function onKey(key: string): boolean {
    gestures.settle();
    if (key === "Escape") {
      commands.select(null);
      return true;
    }
    if (!figure || figure.batch === null) return false;
    const { run } = figure.sides.reduce((most, side) => (side.run.length > most.run.length ? side : most));
    const index = walk(key, run.nearest(figure.batch), { last: run.length - 1 });
    if (index === null) return false;
    selectBatch(run.batches()[index]);
    return true;
  }

  const plotWidth = (width: number) => Math.max(1, width - LEFT - NAMES);

  function scaleOf(points: TrendPoint[][], floor: number | null, whole: boolean): ValueScale {
    const values = points.flat().map(({ value }) => value);
    if (floor !== null) values.push(floor);
    const most = Math.max(0, ...values);
    if (!logarithmic) return linearScale(1.05 * most, BASE, TOP, whole);
    const positive = values.filter((value) => value > 0);
    return logScale(Math.min(...positive), most, BASE, TOP);
  }

  function draw({ comparison, sides, width }: TrendFigure) {
    const { quantity } = comparison;
    const right = LEFT + plotWidth(width);
    svg.attr("width", width);
    const last = Math.max(1, ...sides.map(({ run }) => (run.length > 0 ? run.batches()[run.length - 1] : 0)));
    across.domain([0, last]).range([LEFT, right]);
    const points = sides.map((side) =>
      trendPoints(side.run.batches(), seriesOf(quantity, side), last, plotWidth(width)),
    );
    const naive = quantity === "loss" ? taskOf(sides[0].info) : null;
    const scale = scaleOf(points, naive?.baseline ?? null, QUANTITY_TEXT[quantity].whole);
    drawTicks(valueAxis, scale, LEFT, right, -6);
    title.text(fittingText(axisTitles(quantity, sides[0]), width));
    lines
      .selectAll<SVGPathElement, TrendPoint[]>("path")
      .data(points)
      .join("path")
      .attr("class", (_, side) => `trend-line ${lineStyle(side).name}`)
      .attr("stroke-dasharray", (_, side) => lineStyle(side).dash)
      .attr("d", (some) => pathOf(some, scale));
    const ends = points.map((some) => scale.y(some.at(-1)?.value ?? 0));
    const places = spreadLabels(ends, LABEL_DISTANCE, TOP + 4, BASE - 2);
    names
      .selectAll<SVGTextElement, number>("text")
      .data(places)
      .join("text")
      .attr("class", (_, side) => lineStyle(side).name)
      .attr("x", (_, side) => across(points[side].at(-1)?.batch ?? 0) + 6)
      .attr("y", (y) => y + 4)
      .text((_, side) => (points[side].length > 0 ? comparison.sides[side].name : ""));
    drawBaseline(naive, scale, right);
    batchAxis
      .selectAll("text")
      .data(across.ticks(Math.max(2, plotWidth(width) / TICK_DISTANCE)).filter(Number.isInteger))
      .join("text")
      .attr("x", (batch) => across(batch))
      .attr("y", BASE + 14)
      .text(formatTick);
  }

  function drawBaseline(naive: Task | null, scale: ValueScale, right: number) {
    const loss = naive?.baseline ?? null;
    baseline.classed("hidden", loss === null);
    if (!naive || loss === null) return;
    const y = scale.y(loss);
    baselineLine.attr("x1", LEFT).attr("x2", right).attr("y1", y).attr("y2", y);
    baselineName
      .attr("x", right - 4)
      .attr("y", y - 4)
      .text(naive.baseline_name);
  }

  const pathOf = (points: TrendPoint[], scale: ValueScale) =>
    points
      .map(({ batch, value }, index) => `${index ? "L" : "M"}${rounded(across(batch))},${rounded(scale.y(value))}`)
      .join("");

  /** The numbers of the batch that is shown, side by side. */
  function drawReadout({ comparison, sides, batch }: TrendFigure) {
    shownLine.classed("hidden", batch === null);
    if (batch === null) return setText(readout, "");
    const x = rounded(across(batch));
    shownLine
      .attr("x1", x)
      .attr("x2", x)
      .classed("following", comparison.selected === null);
    const { option } = QUANTITY_TEXT[comparison.quantity];
    const values = sides.map((side, index) => {
      const { name } = comparison.sides[index];
      const at = side.run.nearest(batch);
      if (at < 0) return `${name}: nothing recorded`;
      const recorded = side.run.batches()[at];
      const where = recorded === batch ? "" : ` (batch ${formatCount(recorded)})`;
      const value = seriesOf(comparison.quantity, side).values()[at];
      return `${name} ${valueText(comparison.quantity, value, side.info)}${where}`;
    });
    setText(readout, `Batch ${formatCount(batch)}  ·  ${option}: ${values.join("  ·  ")}`);
  }

  return {
    update(next: TrendFigure) {
      figure = next;
      const { comparison, sides, width } = next;
      logarithmic = comparison.log_scale;
      choice.update(comparison.quantity, sides[0].info);
      log.setAttribute("aria-pressed", String(logarithmic));
      follow.setAttribute("aria-pressed", String(comparison.selected === null));
      const runs = sides.flatMap(({ run }) => [run, run.length]);
      if (inputs.changed(...runs, comparison.quantity, comparison.measure, logarithmic, width)) {
        draw(next);
        const last = sides.flatMap(({ run }, index) => {
          const values = run.length > 0 ? seriesOf(comparison.quantity, sides[index]).values() : null;
          const told = values && valueText(comparison.quantity, values[values.length - 1], sides[index].info);
          return told ? [`${comparison.sides[index].name}: ${run.length} recorded batches, newest ${told}.`] : [];
        });
        describe(svg, `${QUANTITY_TEXT[comparison.quantity].option}. ${last.join(" ")}`);
      }
      drawReadout(next);
    },
  };
}
