/** The key to the heat map: its colours with sizes written at them, and what is neither large nor small. */

import { select } from "d3-selection";
import { element } from "../dom";
import { formatTick } from "../format";
import { EXACT_ZERO, type HeatScale, heatColors, NOT_FINITE } from "../heat_scale";
import type { Theme } from "../theme";
import { createSvg, type Svg } from "./plot";

const BAR = 9;
const WIDTH = 250;
const MARGIN = 24;
const STOPS = 24;
const TICK_DISTANCE = 46;

interface Content {
  scale: HeatScale | null;
  theme: Theme;
  signed: boolean;
  /** What the sizes are of. */
  name: string;
  zero: boolean;
  notFinite: boolean;
}

export interface HeatLegend {
  update(content: Content): void;
  hide(): void;
}

export function createHeatLegend(parent: HTMLElement, choice: HTMLElement): HeatLegend {
  const key = (text: string) => {
    const swatch = element("i", { class: "flat-swatch" });
    return { swatch, node: element("span", { class: "key" }, swatch, text) };
  };
  const zero = key("0: too small to be followed, or exactly zero");
  const notFinite = key("not finite");
  const name = element("span");
  const bars = element("span", { class: "colour-keys" });
  const legend = element("div", { class: "legend heat-legend" }, name, bars, zero.node, notFinite.node, choice);
  legend.hidden = true;
  parent.append(legend);
  const svg = createSvg(bars, BAR + 16).attr("role", "img");

  return {
    update({ scale, theme, signed, ...content }) {
      legend.hidden = false;
      name.textContent = signed ? `${content.name} (colour: log₁₀ of its size)` : `${content.name} (colour: log₁₀)`;
      zero.node.hidden = !content.zero;
      zero.swatch.style.background = EXACT_ZERO[theme];
      notFinite.node.hidden = !content.notFinite;
      notFinite.swatch.style.background = NOT_FINITE[theme];
      bars.hidden = scale === null;
      if (!scale) return;
      const colors = heatColors(theme, signed);
      svg.selectAll("*").remove();
      if (signed) drawBar(svg, scale, colors.negative, MARGIN, -1);
      const left = signed ? MARGIN + WIDTH + 4 : MARGIN;
      drawBar(svg, scale, colors.positive, left, 1);
      svg.attr("width", left + WIDTH + MARGIN);
      const range = `${formatTick(scale.least)} to ${formatTick(scale.most)}`;
      svg.attr("aria-label", `Colour scale, logarithmic: ${signed ? "negative and positive, sizes " : ""}${range}`);
    },
    hide() {
      legend.hidden = true;
    },
  };
}

/** One side of the scale; negative sizes grow to the left. */
function drawBar(svg: Svg, scale: HeatScale, color: (intensity: number) => string, left: number, sign: 1 | -1) {
  const x = (intensity: number) => left + WIDTH * (sign > 0 ? intensity : 1 - intensity);
  const step = WIDTH / STOPS;
  for (let stop = 0; stop < STOPS; stop += 1) {
    const intensity = (sign > 0 ? stop : STOPS - 1 - stop) / (STOPS - 1);
    svg
      .append("rect")
      .attr("x", left + stop * step)
      .attr("width", step + 0.5)
      .attr("height", BAR)
      .attr("fill", color(intensity));
  }
  for (const size of ticksOf(scale)) {
    const at = x(scale.intensity(size));
    const tick = select(svg.node() as SVGSVGElement)
      .append("g")
      .attr("class", "colour-tick");
    tick
      .append("line")
      .attr("x1", at)
      .attr("x2", at)
      .attr("y1", 0)
      .attr("y2", BAR + 3);
    tick
      .append("text")
      .attr("x", at)
      .attr("y", BAR + 14)
      .attr("text-anchor", "middle")
      .text(formatTick(sign * size));
  }
}

/** Both ends of the scale, and powers of ten between them wherever there is room. */
function ticksOf(scale: HeatScale): number[] {
  const place = (size: number) => scale.intensity(size) * WIDTH;
  const rounded = (size: number) => Number(size.toPrecision(2));
  const ticks = [scale.most];
  for (let exponent = Math.floor(Math.log10(scale.most)); ; exponent -= 1) {
    const size = Number(`1e${exponent}`);
    if (size <= scale.least) break;
    const room = place(ticks[ticks.length - 1]) - place(size) >= TICK_DISTANCE && place(size) >= TICK_DISTANCE;
    if (room) ticks.push(size);
  }
  return [...ticks.map(rounded), rounded(scale.least)];
}
