/** The SVG that a panel draws in, and the axes that the panels have in common. */

import type { Axis } from "d3-axis";
import { axisLeft } from "d3-axis";
import type { ScaleLinear } from "d3-scale";
import { type Selection, select } from "d3-selection";
import { formatTick } from "../format";
import { randomName } from "../random_name";

export type Group = Selection<SVGGElement, unknown, null, undefined>;
export type Svg = Selection<SVGSVGElement, unknown, null, undefined>;

const SVG = "http://www.w3.org/2000/svg";

export function createSvg(parent: HTMLElement, height: number): Svg {
  const node = document.createElementNS(SVG, "svg");
  parent.append(node);
  return select(node).attr("height", height);
}

/** Lets the plot be reached and steered by keys that the host would otherwise take for itself. */
export function makeSteerable(svg: Svg, label: string) {
  svg
    .attr("tabindex", 0)
    .attr("role", "application")
    .attr("aria-label", label)
    .attr("data-lm-suppress-shortcuts", "true");
}

/** A quiet vertical axis: tick labels and grid lines, no line of its own. */
export function drawValueAxis(
  group: Group,
  scale: ScaleLinear<number, number>,
  left: number,
  right: number,
  ticks: number,
) {
  const axis: Axis<number> = axisLeft<number>(scale as never)
    .tickValues(scale.ticks(ticks))
    .tickFormat(formatTick)
    .tickSize(left - right)
    .tickPadding(6);
  group.attr("transform", `translate(${left},0)`).call(axis as never);
  group.selectAll(".tick").classed("zero", (value) => value === 0);
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
