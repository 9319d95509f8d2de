/** Panel 1: the tallest bar of every recorded batch. Hover previews a batch, click selects it. */

import { scaleLinear } from "d3-scale";
import { pointer } from "d3-selection";
import { type BarLayout, highestPerColumn, layOutBars } from "../bars";
import { LEFT, RIGHT } from "../columns";
import { element, setText } from "../dom";
import type { Figure, Gestures, Panel } from "../figure";
import { formatCount, formatLoss, formatNumber } from "../format";
import { icon } from "../icons";
import type { Run } from "../run";
import type { Commands } from "../session";
import { createFrame } from "./frame";
import { createSvg, defineHatch, drawValueAxis, makeSteerable } from "./plot";

const TOP = 34;
const PLOT = 80;
const AXIS = 20;
const BASE = TOP + PLOT;
const TICK_DISTANCE = 90;
const PAGE = 10;

export function createOverview(parent: HTMLElement, commands: Commands, gestures: Gestures): Panel {
  const { section, head } = createFrame(
    parent,
    "overview",
    1,
    "Overview",
    "One bar per recorded batch: its tallest bar of panel 3. Hover to preview a batch below, click to select it.",
  );
  const follow = element(
    "button",
    { attributes: { type: "button", "data-action": "follow", title: "Always select the newest recorded batch" } },
    icon("follow"),
    element("span", { text: "Follow newest" }),
  );
  head.append(follow);
  const headline = element("p", { class: "headline" });
  section.append(headline);

  const svg = createSvg(section, BASE + AXIS);
  makeSteerable(
    svg,
    "Recorded batches. Arrow keys, Page Up and Down, Home and End select one; Escape follows the newest.",
  );
  const hatch = defineHatch(svg, "diverged");
  const valueAxis = svg.append("g").attr("class", "axis values");
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  const bars = svg.append("path").attr("class", "bars");
  const divergedBars = svg.append("g").attr("class", "diverged-bars");
  const selectedLine = svg.append("rect").attr("class", "selected-line").attr("y", TOP).attr("height", PLOT);
  const selectedBar = svg.append("rect").attr("class", "selected-bar");
  const selectedMark = svg.append("path").attr("class", "selected-mark").attr("d", "M-5,0h10l-5,6z");
  const previewBar = svg.append("rect").attr("class", "preview-bar");
  const batchAxis = svg.append("g").attr("class", "axis batches");
  svg
    .append("text")
    .attr("class", "axis-title")
    .attr("text-anchor", "end")
    .attr("x", LEFT - 8)
    .attr("y", BASE + 15)
    .text("batch");

  const scale = scaleLinear().range([BASE, TOP]);
  let figure: Figure | null = null;
  let layout: BarLayout = layOutBars(0, 1);
  /** Index of the recorded batch that each column draws. */
  let drawnBars: number[] = [];
  let drawnInputs: unknown[] = [];

  /** The recorded batch under the pointer: of a pixel column's batches the highest, which is the one that is drawn. */
  function indexAt(event: PointerEvent | MouseEvent): number | null {
    const [x, y] = pointer(event, svg.node());
    const column = y < TOP ? null : layout.columnAt(x - LEFT);
    return column === null ? null : drawnBars[column];
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => gestures.preview(indexAt(event)))
    .on("pointerleave", () => gestures.preview(null))
    .on("click", (event: MouseEvent) => {
      const index = indexAt(event);
      if (index !== null) selectIndex(index);
    })
    .on("keydown", (event: KeyboardEvent) => {
      gestures.settle();
      if (!figure || figure.selected < 0) return;
      const last = figure.state.run.length - 1;
      const moves: Record<string, number> = {
        ArrowLeft: figure.selected - 1,
        ArrowRight: figure.selected + 1,
        PageUp: figure.selected - PAGE,
        PageDown: figure.selected + PAGE,
        Home: 0,
        End: last,
      };
      if (event.key === "Escape") commands.select(null);
      else if (event.key in moves) selectIndex(Math.max(0, Math.min(last, moves[event.key])));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

  follow.addEventListener("click", () => {
    if (!figure) return;
    if (figure.state.selected !== null) commands.select(null);
    else if (figure.selected >= 0) selectIndex(figure.selected);
  });

  function selectIndex(index: number) {
    if (!figure) return;
    gestures.preview(null);
    const batch = figure.state.run.batches()[index];
    commands.select(batch);
    gestures.announce(`Batch ${formatCount(batch)} selected.`);
  }

  const x = (index: number) => LEFT + layout.columnOf(index) * layout.columnWidth;
  /** Bars of some width leave a gap of one pixel. */
  const barWidth = () => (layout.columnWidth > 2 ? layout.columnWidth - 1 : layout.columnWidth);
  const y = (value: number) => scale(Number.isFinite(value) ? value : 0);

  function drawBars({ state: { run, measure }, width }: Figure) {
    const heights = run.maxima(measure);
    layout = layOutBars(run.length, width - LEFT - RIGHT);
    drawnBars = highestPerColumn(heights, layout);
    const finite = drawnBars.map((index) => heights[index]).filter(Number.isFinite);
    scale.domain([0, Math.max(...finite, 0) || 1]);
    drawDiverged(run);
    bars.attr(
      "d",
      drawnBars.map((index) => `M${x(index)},${BASE}V${y(heights[index])}h${barWidth()}V${BASE}Z`).join(""),
    );
    drawValueAxis(valueAxis, scale, LEFT, width - RIGHT, 3);
    drawBatchAxis(run);
  }

  function drawDiverged(run: Run) {
    const marked = Array.from({ length: run.length }, (_, index) => index).filter(run.diverged);
    divergedBars
      .selectAll<SVGGElement, number>("g")
      .data(marked)
      .join((enter) => {
        const group = enter.append("g");
        group.append("rect").attr("y", TOP).attr("height", PLOT).attr("fill", hatch);
        group.append("path").attr("class", "cross").attr("d", "M-4,-4L4,4M-4,4L4,-4");
        return group;
      })
      .attr("transform", (index) => `translate(${x(index)},0)`)
      .call((groups) => {
        const wide = Math.max(5, barWidth());
        groups.select("rect").attr("width", wide);
        groups.select("path").attr("transform", `translate(${wide / 2},${TOP - 6})`);
      });
  }

  function drawBatchAxis(run: Run) {
    const batches = run.batches();
    const used = layout.columns * layout.columnWidth;
    const first = batches[0];
    const last = batches[batches.length - 1];
    const ticks = scaleLinear([first, Math.max(last, first + 1)], [0, 1])
      .ticks(Math.max(1, Math.floor(used / TICK_DISTANCE)))
      .filter((tick) => Number.isInteger(tick) && tick <= last);
    batchAxis
      .selectAll<SVGGElement, number>("g")
      .data(ticks)
      .join((enter) => {
        const group = enter.append("g");
        group.append("line").attr("y2", 4);
        group.append("text").attr("y", 15);
        return group;
      })
      .attr("transform", (tick) => `translate(${x(run.nearest(tick)) + barWidth() / 2},${BASE})`)
      .select("text")
      .text(formatCount);
  }

  function drawMark(index: number | null, place: (index: number, height: number) => void) {
    if (!figure || index === null || index < 0) return;
    const value = figure.state.run.maxima(figure.state.measure)[index];
    place(index, BASE - y(value));
  }

  function drawHeadline({ shown, state, preview }: Figure) {
    if (!shown) return;
    const { snapshot, items } = shown;
    const length = state.info.data_length;
    const mean = snapshot.loss.reduce((sum, loss) => sum + loss, 0) / snapshot.steps;
    const parts = [
      `${preview === null ? "Batch" : "Preview of batch"} ${formatCount(snapshot.batch)}`,
      `targets ${formatCount(snapshot.start)}–${formatCount(snapshot.stop - 1)}${length === null ? "" : ` of ${formatCount(length)}`}`,
      `max gradient ${formatNumber(items.max)}`,
      `loss ${formatLoss(mean)} nats per step`,
    ];
    if (snapshot.diverged) parts.push("diverged");
    else if (snapshot.clipped) parts.push("clipped");
    setText(headline, parts.join("  ·  "));
  }

  return {
    update(next) {
      figure = next;
      const { state, width, selected, preview } = next;
      const inputs = [state.run, state.run.length, state.measure, width];
      if (inputs.some((input, index) => input !== drawnInputs[index])) {
        drawnInputs = inputs;
        svg.attr("width", width);
        title.text("tallest bar of the batch (nats per unit weight)");
        drawBars(next);
      }
      const wide = Math.max(3, barWidth());
      drawMark(selected, (index, height) => {
        const left = x(index) + (barWidth() - wide) / 2;
        selectedLine.attr("x", left).attr("width", wide);
        selectedBar
          .attr("x", left)
          .attr("width", wide)
          .attr("y", BASE - height)
          .attr("height", height)
          .attr("data-batch", state.run.batches()[index]);
        selectedMark.attr("transform", `translate(${left + wide / 2},${TOP - (state.run.diverged(index) ? 19 : 9)})`);
      });
      previewBar.classed("hidden", preview === null);
      drawMark(preview, (index, height) => {
        previewBar
          .attr("x", x(index) + (barWidth() - wide) / 2 - 0.5)
          .attr("width", wide + 1)
          .attr("y", BASE - height)
          .attr("height", height);
      });
      follow.setAttribute("aria-pressed", String(state.selected === null));
      drawHeadline(next);
    },
  };
}
