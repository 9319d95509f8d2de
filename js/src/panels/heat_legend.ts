/** The key to the heat map: its colours with sizes written at them, and what is neither large nor small. */

import { element } from "../browser/dom";
import type { Theme } from "../browser/theme";
import { EXACT_ZERO, type HeatScale, heatColors, NOT_FINITE } from "../geometry/heat_scale";
import { formatTick } from "../words/format";
import { createSvg, type Svg } from "./plot";

const BAR = 9;
const HEIGHT = BAR + 16;
const WIDTH = 250;
/** Each side of a scale that has two. */
const HALF = 152;
const MARGIN = 24;
const STOPS = 64;
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
  const legend = element("div", { class: "legend heat-legend" }, choice, name, bars, zero.node, notFinite.node);
  legend.hidden = true;
  parent.append(legend);
  let svg: Svg | null = null;

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
      svg ??= createSvg(bars, HEIGHT).attr("role", "img");
      svg.selectAll("*").remove();
      if (signed) {
        drawBar(svg, scale, colors.negative, { left: MARGIN, width: HALF, sign: -1 });
        drawBar(svg, scale, colors.positive, { left: MARGIN + HALF, width: HALF, sign: 1 });
        drawTick(svg, MARGIN + HALF, `±${formatTick(rounded(scale.least))}`);
      } else {
        drawBar(svg, scale, colors.positive, { left: MARGIN, width: WIDTH, sign: 1 });
        drawTick(svg, MARGIN, formatTick(rounded(scale.least)));
      }
      const width = 2 * MARGIN + (signed ? 2 * HALF : WIDTH);
      svg.attr("width", width).attr("viewBox", `0 0 ${width} ${HEIGHT}`); // where it is narrow it shrinks
      const range = `${formatTick(scale.least)} to ${formatTick(scale.most)}`;
      svg.attr("aria-label", `Colour scale, logarithmic: ${signed ? "negative and positive, sizes " : ""}${range}`);
    },
    hide() {
      legend.hidden = true;
    },
  };
}

interface Side {
  left: number;
  width: number;
  /** Negative sizes grow to the left. */
  sign: 1 | -1;
}

function drawBar(svg: Svg, scale: HeatScale, color: (intensity: number) => string, { left, width, sign }: Side) {
  const step = width / STOPS;
  for (let stop = 0; stop < STOPS; stop += 1) {
    const intensity = (sign > 0 ? stop : STOPS - 1 - stop) / (STOPS - 1);
    svg
      .append("rect")
      .attr("x", left + stop * step)
      .attr("width", step + 0.5)
      .attr("height", BAR)
      .attr("fill", color(intensity));
  }
  for (const size of ticksOf(scale, width)) {
    const intensity = scale.intensity(size);
    drawTick(svg, left + width * (sign > 0 ? intensity : 1 - intensity), formatTick(sign * rounded(size)));
  }
}

function drawTick(svg: Svg, x: number, text: string) {
  const tick = svg.append("g").attr("class", "colour-tick").attr("transform", `translate(${x},0)`);
  tick.append("line").attr("y2", BAR + 3);
  tick
    .append("text")
    .attr("y", BAR + 14)
    .attr("text-anchor", "middle")
    .text(text);
}

const rounded = (size: number) => Number(size.toPrecision(2));

/** The largest size, and powers of ten below it wherever there is room. */
function ticksOf(scale: HeatScale, width: number): number[] {
  const place = (size: number) => scale.intensity(size) * width;
  const ticks = [scale.most];
  for (let exponent = Math.floor(Math.log10(scale.most)); ; exponent -= 1) {
    const size = Number(`1e${exponent}`);
    if (size <= scale.least) return ticks;
    const room = place(ticks[ticks.length - 1]) - place(size) >= TICK_DISTANCE && place(size) >= TICK_DISTANCE;
    if (room) ticks.push(size);
  }
}
