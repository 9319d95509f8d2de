/** The lines that panel 4 lays over its bars: what no piece can exceed, and the other of two memories. */

import type { Shown } from "../figure/figure";
import type { Columns } from "../geometry/columns";
import { piecesOf, type Received } from "../geometry/decay";
import { rounded, type Svg } from "./plot";

/** What a loss sent along something else than what the bars show, step by step. */
export interface Laid {
  kind: "bound" | "companion";
  values: Received[];
}

/** What is laid over the pieces of a loss. */
export function laidOver(loss: number, { snapshot, items, companion }: Shown): Laid[] {
  const laid: Laid[] = [];
  const { bound } = items;
  if (bound) {
    const values = piecesOf(loss, snapshot, items).map(({ step, lag }) => ({
      step,
      lag,
      value: bound[lag - items.firstLag],
    }));
    laid.push({ kind: "bound", values });
  }
  if (companion) laid.push({ kind: "companion", values: piecesOf(loss, snapshot, companion.items) });
  return laid;
}

export interface HorizonLines {
  draw(laid: Laid[], columns: Columns, y: (value: number) => number): void;
}

export function createHorizonLines(svg: Svg): HorizonLines {
  const group = svg.append("g").attr("class", "laid-over");

  /** A step line, as wide as the columns; values that have no place on the axis leave a gap. */
  function path(values: Received[], columns: Columns, y: (value: number) => number): string {
    let drawn = "";
    let open = false;
    for (const { step, value } of values.toReversed()) {
      const place = rounded(y(value));
      const seen = columns.has(step) && Number.isFinite(place);
      if (seen) drawn += `${open ? `V${place}` : `M${columns.x(step)},${place}`}H${columns.x(step + 1)}`;
      open = seen;
    }
    return drawn;
  }

  return {
    draw(laid, columns, y) {
      group
        .selectAll("path")
        .data(laid)
        .join("path")
        .attr("class", ({ kind }) => kind)
        .attr("d", ({ values }) => path(values, columns, y));
    },
  };
}
