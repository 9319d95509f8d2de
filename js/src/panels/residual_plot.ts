/** The plot of what each horizon leaves out: pointer and keys read a horizon, a click or Enter sets it. */

import { pointer } from "d3-selection";
import { element, setText } from "../browser/dom";
import type { Gestures } from "../figure/figure";
import { createInputs } from "../figure/inputs";
import { LEFT, RIGHT } from "../geometry/columns";
import { describeResidual, inForce, layOutResiduals, type ResidualLayout } from "../geometry/residuals";
import type { HorizonChoice, SettingValue } from "../protocol/contract";
import { formatCount, formatTick } from "../words/format";
import { answerKeys, walk } from "./keys";
import { createSvg, drawValueAxis, makeSteerable, onLeave, rounded } from "./plot";

const TOP = 24;
const BASE = TOP + 130;
/** Where zeros stand: they have no place on a logarithmic axis. */
const ZERO = BASE + 13;
const AXIS = ZERO + 8;
const HEIGHT = AXIS + 38;
/** Room between the axis and its first and last k. */
const PADDING = 10;
/** More points than this are drawn as a line alone. */
const MANY_POINTS = 64;
const RADIUS = 2.5;
/** Room that a label takes, at most. */
const LABEL = 110;

const AXIS_TITLE = "part of a loss’s gradient that is left out";

export interface ResidualPlot {
  update(choice: HorizonChoice, setting: SettingValue, width: number): void;
}

/** `setHorizon` is asked for the k that is pointed at. */
export function createResidualPlot(
  parent: HTMLElement,
  gestures: Gestures,
  setHorizon: (k: number) => void,
): ResidualPlot {
  const reading = element("p", { class: "choice-reading" });
  parent.append(reading);
  const svg = createSvg(parent, HEIGHT);
  makeSteerable(
    svg,
    "What each horizon leaves out. Left and right, Page Up and Down, Home and End read a horizon; Enter sets it, " +
      "Escape lets go.",
  );
  const enough = svg
    .append("rect")
    .attr("class", "enough")
    .attr("y", TOP)
    .attr("height", AXIS - TOP);
  const valueAxis = svg.append("g").attr("class", "axis values");
  const zeroLabel = svg
    .append("text")
    .attr("class", "axis-title")
    .attr("text-anchor", "end")
    .attr("y", ZERO + 4)
    .text("0");
  const toleranceLine = svg.append("line").attr("class", "tolerance");
  const toleranceText = svg.append("text").attr("class", "tolerance");
  const line = svg.append("path").attr("class", "residuals");
  const points = svg.append("path").attr("class", "residual-points");
  const enoughLine = svg
    .append("line")
    .attr("class", "enough-line")
    .attr("y1", TOP - 8)
    .attr("y2", AXIS);
  const enoughText = svg
    .append("text")
    .attr("class", "enough-text")
    .attr("y", TOP - 11);
  const guide = svg.append("line").attr("class", "choice-guide").attr("y1", TOP).attr("y2", AXIS);
  const pointed = svg.append("circle").attr("class", "pointed-residual").attr("r", 4.5);
  const kLine = svg.append("line").attr("class", "zero-line").attr("y1", AXIS).attr("y2", AXIS);
  const kAxis = svg.append("g").attr("class", "axis steps");
  const kTitle = svg
    .append("text")
    .attr("class", "axis-title")
    .attr("text-anchor", "end")
    .attr("y", AXIS + 14)
    .text("k");
  const mark = svg.append("path").attr("class", "in-force").attr("d", "M0,0l5,7h-10z");
  const markText = svg.append("text").attr("y", AXIS + 31);

  let drawn: { choice: HorizonChoice; layout: ResidualLayout } | null = null;
  const inputs = createInputs();
  /** The k that is pointed at. */
  let at: number | null = null;

  function point(k: number | null) {
    if (k === at) return;
    at = k;
    gestures.redraw();
  }

  const setPointed = () => at !== null && setHorizon(at);

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      point(drawn?.layout.kAt(pointer(event, svg.node())[0]) ?? null);
    })
    .on("blur", () => point(null))
    .on("click", setPointed)
    .on(
      "keydown",
      answerKeys(({ key }) => onKey(key)),
    );

  onLeave(svg, () => point(null));

  function onKey(key: string): boolean {
    if (!drawn) return false;
    const { choice, layout } = drawn;
    if (key === "Escape") point(null);
    else if (key === "Enter" || key === " ") setPointed();
    else {
      // The first key begins at the horizon that is enough.
      const k = walk(key, at ?? choice.horizon, { first: 1, last: layout.longest, by: at === null ? 0 : 1 });
      if (k === null) return false;
      point(k);
      gestures.announce(`${describeResidual(choice, k)}.`);
    }
    return true;
  }

  function drawCurve({ residual }: HorizonChoice, { x, y, longest }: ResidualLayout) {
    const ks = Array.from({ length: longest }, (_, index) => index + 1);
    let pen = "M";
    const path: string[] = [];
    for (const k of ks) {
      const height = y(residual[k]);
      if (height === null) {
        pen = "M";
        continue;
      }
      path.push(`${pen}${rounded(x(k))},${rounded(height)}`);
      pen = "L";
    }
    line.attr("d", path.join(""));
    const dot = (k: number) => {
      const part = residual[k];
      if (part === null || (part > 0 && longest > MANY_POINTS)) return "";
      return `M${rounded(x(k) - RADIUS)},${rounded(y(part) ?? ZERO)}a${RADIUS},${RADIUS} 0 1,0 ${2 * RADIUS},0a${RADIUS},${RADIUS} 0 1,0 ${-2 * RADIUS},0`;
    };
    points.attr("d", ks.map(dot).join(""));
  }

  function drawTolerance({ tolerance, horizon }: HorizonChoice, { x, y, longest }: ResidualLayout, right: number) {
    const height = y(tolerance) ?? ZERO;
    toleranceLine.attr("x1", LEFT).attr("x2", right).attr("y1", height).attr("y2", height);
    // The curve is above the line before the choice and below it after: the label keeps to the other side.
    const after = right - x(horizon) > LABEL || x(horizon) - LEFT < LABEL || longest === 1;
    toleranceText
      .attr("text-anchor", after ? "end" : "start")
      .attr("x", after ? right - 2 : LEFT + 4)
      .attr("y", after ? height - 4 : height + 12)
      .text(`tolerance ${formatTick(tolerance)}`);
  }

  function drawMarks(of: HorizonChoice, { x }: ResidualLayout, now: number, automatic: boolean, right: number) {
    const [chosen, current] = [x(of.horizon), x(now)];
    enough.attr("x", chosen).attr("width", Math.max(0, right - chosen));
    enoughLine.attr("x1", chosen).attr("x2", chosen);
    const beside = (from: number) => (right - from > LABEL ? "start" : "end");
    enoughText
      .attr("x", chosen + (beside(chosen) === "start" ? -3 : 3))
      .attr("text-anchor", beside(chosen))
      .text(`k = ${formatCount(of.horizon)} is enough`);
    mark.attr("transform", `translate(${current},${AXIS + 21})`);
    markText
      .attr("x", current + (beside(current) === "start" ? 9 : -9))
      .attr("text-anchor", beside(current))
      .text(`in force: ${automatic ? "auto, " : ""}${formatCount(now)}`);
  }

  function draw(choice: HorizonChoice, setting: SettingValue, width: number) {
    const right = width - RIGHT;
    const layout = layOutResiduals(choice, [LEFT + PADDING, right - PADDING], [BASE, TOP]);
    drawn = { choice, layout };
    svg.attr("width", width);
    drawValueAxis(valueAxis, layout.yAxis, LEFT, right, layout.yTicks);
    zeroLabel.attr("x", LEFT - 6);
    kLine.attr("x1", LEFT).attr("x2", right);
    kTitle.attr("x", LEFT - 8).text(layout.logarithmic ? "k (log)" : "k");
    kAxis
      .selectAll("text")
      .data(layout.xTicks)
      .join("text")
      .attr("x", (k) => layout.x(k))
      .attr("y", AXIS + 14)
      .text(formatCount);
    drawCurve(choice, layout);
    drawTolerance(choice, layout, right);
    drawMarks(choice, layout, inForce(setting, choice), setting === "auto", right);
  }

  function drawPointed({ residual }: HorizonChoice, { x, y }: ResidualLayout) {
    for (const part of [guide, pointed]) part.classed("hidden", at === null);
    if (at === null) return;
    guide.attr("x1", x(at)).attr("x2", x(at));
    pointed
      .classed("hidden", residual[at] === null)
      .attr("cx", x(at))
      .attr("cy", y(residual[at]) ?? ZERO)
      .attr("data-k", at);
  }

  return {
    update(choice, setting, width) {
      if (inputs.changed(choice, setting, width)) draw(choice, setting, width);
      if (!drawn) return;
      if (at !== null && at > drawn.layout.longest) at = null;
      drawPointed(choice, drawn.layout);
      reading.classList.toggle("pointed", at !== null);
      setText(reading, at === null ? AXIS_TITLE : describeResidual(choice, at));
    },
  };
}
