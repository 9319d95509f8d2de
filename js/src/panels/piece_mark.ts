/** Points out one piece of panel 3: a frame around it, and an arrow from above, as it may be too small to be seen. */

import { type Box, TOP } from "./gradient_form";
import type { Svg } from "./plot";

/** A frame is at least this tall. */
const LEAST = 4;

export function createPieceMark(svg: Svg, words: string) {
  const group = svg.append("g").attr("class", "piece-mark hidden").attr("role", "img").attr("aria-label", words);
  group.append("title").text(words);
  const line = group.append("line").attr("y1", TOP);
  const arrow = group.append("path").attr("d", "M0,0l-5,-8h10z");
  const frame = group.append("rect");

  return {
    update(box: Box | null) {
      group.classed("hidden", !box);
      if (!box) return;
      const [x, y, width, height] = box;
      const tall = Math.max(LEAST, height);
      const top = y + height - tall;
      const middle = x + width / 2;
      line
        .attr("x1", middle)
        .attr("x2", middle)
        .attr("y2", Math.max(TOP, top - 1));
      arrow.attr("transform", `translate(${middle},${TOP})`);
      frame
        .attr("x", x - 1)
        .attr("y", top - 1)
        .attr("width", width + 2)
        .attr("height", tall + 2);
    },
  };
}
