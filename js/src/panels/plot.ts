/** The SVG that a panel draws in, and the axes that the panels have in common. */

import { type Axis, type AxisScale, axisLeft } from "d3-axis";
import { type Selection, select } from "d3-selection";
import { OWN_KEYS, setAttributes, svgElement } from "../browser/dom";
import { randomName } from "../browser/random_name";
import type { ValueScale } from "../geometry/value_scale";
import { formatTick } from "../words/format";

export type Group = Selection<SVGGElement, unknown, null, undefined>;
export type Svg = Selection<SVGSVGElement, unknown, null, undefined>;

/** Pixels that a character of small text, such as an axis's title, takes on average. */
const SMALL_TEXT_CHARACTER = 5.6;

export function createSvg(parent: HTMLElement, height: number): Svg {
  const node = svgElement("svg", { height });
  parent.append(node);
  return select(node);
}

/** Lets the plot be reached and steered by keys that the host would otherwise take for itself. */
export function makeSteerable(svg: Svg, label: string) {
  svg.each(function steer() {
    setAttributes(this, { tabindex: 0, role: "application", "aria-label": label, ...OWN_KEYS });
  });
}

/** For `each`: sets the attributes that differ. */
export const withAttributes = <T>(attributesOf: (datum: T) => Record<string, string | number>) =>
  function set(this: Element, datum: T) {
    setAttributes(this, attributesOf(datum));
  };

/** Tells that the pointer has left the plot. A finger that is lifted has not: what it pointed at stays. */
export const onLeave = (svg: Svg, left: () => void) =>
  svg.on("pointerleave", (event: PointerEvent) => {
    if (event.pointerType !== "touch") left();
  });

/** The first of these small texts for which there is room; of the last, as much as there is room for. */
export function fittingText(texts: readonly string[], width: number): string {
  const most = Math.max(1, Math.floor(width / SMALL_TEXT_CHARACTER));
  const last = texts[texts.length - 1];
  return texts.find((text) => text.length <= most) ?? `${last.slice(0, most - 1)}…`;
}

/** A quiet vertical axis: tick labels and grid lines, no line of its own. */
export function drawValueAxis(
  group: Group,
  scale: AxisScale<number> & { ticks?(count: number): number[] },
  left: number,
  right: number,
  ticks: number | number[],
  length = right - left,
) {
  const axis: Axis<number> = axisLeft<number>(scale)
    .tickValues(typeof ticks === "number" ? (scale.ticks?.(ticks) ?? []) : ticks)
    .tickFormat(formatTick)
    .tickSize(-length)
    .tickPadding(6);
  group.attr("transform", `translate(${left},0)`).call(axis as never);
  group.selectAll(".tick").classed("zero", (value) => value === 0);
}

/** Tick labels beside `x`, `padding` away from it, and grid lines from there to `gridTo`. */
export function drawTicks(group: Group, scale: ValueScale, x: number, gridTo: number | null, padding: number) {
  group
    .selectAll<SVGGElement, number>("g")
    .data(scale.ticks)
    .join((enter) => {
      const tick = enter.append("g");
      tick.append("line");
      tick.append("text").attr("dy", "0.32em");
      return tick;
    })
    .attr("class", (value) => (value === 0 ? "tick zero" : "tick"))
    .attr("transform", (value) => `translate(${x},${scale.y(value) + 0.5})`)
    .each(function label(value) {
      this.querySelector("line")?.setAttribute("x2", String(gridTo === null ? 0 : gridTo - x));
      const text = this.querySelector("text");
      text?.setAttribute("x", String(padding));
      text?.setAttribute("text-anchor", padding < 0 ? "end" : "start");
      if (text) text.textContent = formatTick(value);
    });
}

/** Hatching for what has no place on the colour scale. The id is unique: pages hold several views. */
export function defineHatch(svg: Svg, kind: string): string {
  const id = `rnnbow-${kind}-${randomName()}`;
  const pattern = svg
    .append("defs")
    .append("pattern")
    .attr("id", id)
    .attr("class", `hatch ${kind}`)
    .attr("width", 5)
    .attr("height", 5)
    .attr("patternUnits", "userSpaceOnUse")
    .attr("patternTransform", "rotate(45)");
  pattern.append("rect").attr("width", 5).attr("height", 5);
  pattern.append("line").attr("y2", 5);
  return `url(#${id})`;
}

/** Rectangles as one path: many of them are drawn faster than as many elements. */
export function pathOf<T>(items: T[], place: (item: T) => [x: number, y: number, width: number, height: number]) {
  return items
    .map((item) => {
      const [x, y, width, height] = place(item);
      return `M${x},${y}h${width}v${height}h${-width}z`;
    })
    .join("");
}

/** Short paths are parsed sooner, and a hundredth of a pixel is not seen. */
export const rounded = (pixels: number) => Math.round(pixels * 100) / 100;
