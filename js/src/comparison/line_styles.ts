/** How the lines of the sides are told apart: by dashes and by colour, so that either is enough. */

import { svgElement } from "../browser/dom";

const DASHES = ["none", "7 3", "2 3", "9 3 2 3"];

export interface LineStyle {
  /** Names the colour in the style sheet. */
  name: string;
  dash: string;
}

export const lineStyle = (side: number): LineStyle => ({ name: `side-${side}`, dash: DASHES[side] });

/** A short piece of a line, for the side's name. */
export function lineSample({ name, dash }: LineStyle): SVGSVGElement {
  const line = svgElement("path", { d: "M1,5H29", class: `trend-line ${name}`, "stroke-dasharray": dash });
  return svgElement("svg", { class: "line-sample", width: 30, height: 10, "aria-hidden": "true" }, line);
}
