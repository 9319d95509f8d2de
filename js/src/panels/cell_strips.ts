/** Beside the picture of a cell: what every edge carried at every step that the loss reaches, one row for each edge. */

import { pointer } from "d3-selection";
import { type LossFlow, type Spot, strength } from "../geometry/cell_flow";
import type { CellKind } from "../geometry/cell_picture";
import type { Edge } from "../protocol/chunks";
import { formatNumber } from "../words/format";
import { edgeName } from "./cell_words";
import { createSvg, onLeave, pathOf, rounded } from "./plot";

const ROW = 23;
const [TALL, GAP] = [17, 3];
const TOP = 16;
const FOOT = 18;
const NAMES = 146;
const NUMBERS = 62;
/** Small values are seen, and told from zeros. */
const HAIRLINE = 1;

interface Row {
  name: string;
  sizes: Float64Array;
}

interface Column {
  x: number;
  end: number;
  size: number;
}

export interface CellStrips {
  draw(edges: readonly Edge[], kind: CellKind | null, sent: LossFlow, decades: number, room: number): void;
  mark(spot: Spot, edge: string | null): void;
}

export function createCellStrips(
  parent: HTMLElement,
  onPoint: (at: { step: number; edge: string } | null) => void,
  onClick: () => void,
): CellStrips {
  const svg = createSvg(parent, 0).attr("class", "cell-strips").attr("role", "img");
  const title = svg.append("text").attr("class", "axis-title").attr("x", NAMES).attr("y", 10);
  const rows = svg.append("g");
  const guide = svg
    .append("line")
    .attr("class", "cell-guide")
    .attr("y1", TOP - 2);
  const ends = ["start", "end"].map((anchor) =>
    svg.append("text").attr("class", "axis-title").attr("text-anchor", anchor),
  );
  let drawn: { sent: LossFlow; rows: Row[]; width: number; room: number } | null = null;

  const left = (step: number) => (drawn ? NAMES + Math.floor((step - drawn.sent.first) * drawn.width + 1e-6) : 0);

  /** Steps that share a pixel are one column, as tall as the largest of them. */
  function columnsOf(sizes: Float64Array): Column[] {
    const columns: Column[] = [];
    if (!drawn) return columns;
    const { first } = drawn.sent;
    sizes.forEach((size, index) => {
      if (!(size > 0)) return;
      const [x, end] = [left(first + index), left(first + index + 1)];
      const before = columns.at(-1);
      if (before?.x === x) before.size = Math.max(before.size, size);
      else columns.push({ x, end, size });
    });
    return columns;
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      if (!drawn) return;
      const [x, y] = pointer(event, svg.node());
      const step = drawn.sent.first + Math.floor((x - NAMES) / drawn.width);
      const row = drawn.rows[Math.floor((y - TOP) / ROW)];
      const inside = row && step >= drawn.sent.first && step < drawn.sent.end;
      onPoint(inside ? { step, edge: row.name } : null);
    })
    .on("click", onClick);
  onLeave(svg, () => onPoint(null));

  return {
    draw(edges, kind, sent, decades, room) {
      const steps = Math.max(1, sent.end - sent.first);
      drawn = {
        sent,
        rows: edges.map(({ name }) => ({ name, sizes: sent.sizes(name) })),
        width: Math.min(24, Math.max(1, room - NAMES - NUMBERS) / steps),
        room,
      };
      const largest = sent.extent?.[1] ?? 1;
      const gap = drawn.width >= 4 ? 1 : 0;
      const place = ({ x, end, size }: Column): [number, number, number, number] => {
        const tall = Math.max(HAIRLINE, rounded(TALL * strength(size, largest, decades)));
        return [x, rounded(TALL - tall), Math.max(1, end - x - gap), tall];
      };
      const foot = TOP + edges.length * ROW;
      svg.attr("width", room).attr("height", foot + FOOT);
      svg.attr("aria-label", `What each edge carried of the loss of step ${sent.loss}, from step ${sent.first} on.`);
      title.text(`at every step, over ${decades} powers of ten`);
      rows
        .selectAll<SVGGElement, Row>("g")
        .data(drawn.rows)
        .join((entered) => {
          const group = entered.append("g");
          group
            .append("text")
            .attr("class", "name")
            .attr("y", TALL - 4);
          group.append("rect").attr("class", "ground").attr("height", TALL).attr("x", NAMES);
          group.append("path").attr("class", "carried");
          group
            .append("text")
            .attr("class", "number")
            .attr("y", TALL - 4);
          return group;
        })
        .attr("data-edge", ({ name }) => name)
        .attr("transform", (_, index) => `translate(0,${TOP + index * ROW})`)
        .call((groups) => {
          groups.select(".name").text(({ name }) => edgeName(name, kind));
          groups.select(".ground").attr("width", left(sent.end) - NAMES);
          groups.select(".number").attr("x", left(sent.end) + 6);
          groups.select(".carried").attr("d", ({ sizes }) => pathOf(columnsOf(sizes), place));
        });
      guide.attr("y2", foot - GAP);
      ends[0]
        .attr("x", NAMES)
        .attr("y", foot + 11)
        .text(`step ${sent.first}`);
      const last = sent.end - 1;
      const wide = left(sent.end) - NAMES > 110;
      ends[1]
        .attr("x", left(sent.end))
        .attr("y", foot + 11)
        .text(wide ? `step ${last}` : "");
    },
    mark({ step }, edge) {
      if (!drawn) return;
      const x = (left(step) + left(step + 1)) / 2;
      guide.attr("x1", x).attr("x2", x).attr("data-step", step);
      const index = step - drawn.sent.first;
      rows
        .selectAll<SVGGElement, Row>("g")
        .classed("lit", ({ name }) => name === edge)
        .select(".number")
        .text(({ sizes }) => formatNumber(sizes[index], 2));
    },
  };
}
