/** How the lines of the sides are told apart: by dashes and by colour, so that either is enough. */

const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["none", "7 3", "2 3", "9 3 2 3"];

export interface LineStyle {
  /** Names the colour in the style sheet. */
  name: string;
  dash: string;
}

export const lineStyle = (side: number): LineStyle => ({ name: `side-${side}`, dash: DASHES[side] });

/** A short piece of a line, for the side's name. */
export function lineSample({ name, dash }: LineStyle): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "line-sample");
  svg.setAttribute("width", "30");
  svg.setAttribute("height", "10");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M1,5H29");
  line.setAttribute("class", `trend-line ${name}`);
  line.setAttribute("stroke-dasharray", dash);
  svg.append(line);
  return svg;
}
