/** The mark of one step in panel 2 and what stands above it: the step whose loss is pointed at. */

import type { Selection } from "d3-selection";
import type { Shown } from "../figure/figure";

/** `name`: class of the mark. It is hidden where `step` is null or not in view. */
export function createStepMark<Node extends SVGElement>(
  parent: Selection<Node, unknown, null, undefined>,
  name: string,
) {
  const mark = parent.append("rect").attr("class", name).attr("y", 0.5);

  return {
    light(step: number | null, shown: Shown | null, height: number) {
      const columns = height > 0 ? shown?.columns : null;
      const lit = columns && step !== null && columns.has(step);
      mark.classed("hidden", !lit);
      if (!lit) return;
      mark
        .attr("x", columns.barX(step))
        .attr("width", columns.barWidth(step))
        .attr("height", height - 1);
    },
  };
}
