/** The toolbar's icons: paths on a 16 × 16 grid, drawn in the colour of the text. */

import { svgElement } from "../browser/dom";

const PATHS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  step: "M3 2.5v11l7-5.5zM11 2.5h2v11h-2z",
  record: "M1.5 3v10l5-5zM7 3v10l5-5zM12.5 3h2v10h-2z",
  reset: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7l1.6.5A3.8 3.8 0 1 0 8 4.2v2.3L4 3.3 8 .2z",
  follow: "M2 3l4.5 5L2 13zM7.5 3L12 8l-4.5 5zM13 3h1.7v10H13z",
  tour: "M8 1a5 5 0 0 1 5 5c0 3.5-5 9-5 9S3 9.5 3 6a5 5 0 0 1 5-5zm0 3a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  copy: "M5 1h9v11h-3v3H2V4h3zm1.5 3H11v6.5h1.5v-8h-6zM3.500 5.500v8h6v-8z",
  whole: "M1 3h1.6v10H1zM13.4 3H15v10h-1.6zM3.5 8L7 5v2h2V5l3.5 3L9 11V9H7v2z",
  compare: "M1.5 2.5h6v11h-6zM3 4v8h3V4zM8.5 2.5h6v11h-6zM10 4v8h3V4z",
  close: "M3.4 2L8 6.6 12.6 2 14 3.4 9.4 8l4.6 4.6-1.4 1.4L8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z",
  stop: "M3 3h10v10H3z",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  const path = svgElement("path", { d: PATHS[name] });
  return svgElement("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, path);
}

export function setIcon(svg: SVGSVGElement, name: IconName) {
  svg.firstElementChild?.setAttribute("d", PATHS[name]);
}
