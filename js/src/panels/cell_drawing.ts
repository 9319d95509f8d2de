/** The picture of a cell at one step: its edges are as wide and as dark as the gradient that went along them. */

import { select } from "d3-selection";
import { type LossFlow, type Spot, strength } from "../geometry/cell_flow";
import {
  type CellKind,
  type CellLayout,
  type LaidEdge,
  type LaidMark,
  layOutCell,
  type Place,
} from "../geometry/cell_picture";
import { formatNumber } from "../words/format";
import { subscript } from "../words/subscripts";
import { createSvg, onLeave, type Svg } from "./plot";

const [THINNEST, WIDEST] = [1.5, 12];
const [FAINTEST, DARKEST] = [0.3, 0.95];
/** How near to a line a pointer means it. */
const REACH = 18;
const CORNER = 9;
/** From a line to its number, beside what the line's own width takes. */
const DISTANCE = 5;

export const widthOf = (part: number) => THINNEST + part * (WIDEST - THINNEST);
export const opacityOf = (part: number) => FAINTEST + part * (DARKEST - FAINTEST);

export interface CellDrawing {
  svg: Svg;
  layOut(kind: CellKind, activation: string, room: number, way: 1 | -1): void;
  draw(spot: Spot, sent: LossFlow, decades: number): void;
  light(edge: string | null): void;
  /** Where an edge's number stands on the page. */
  placeOf(edge: string): DOMRect | null;
}

export function createCellDrawing(parent: HTMLElement, onPoint: (edge: string | null) => void): CellDrawing {
  const svg = createSvg(parent, 0);
  const frame = svg.append("rect").attr("class", "cell-frame").attr("rx", 12);
  const frameText = svg.append("text").attr("class", "cell-step");
  const sides = ["before", "after"].map((side) => svg.append("text").attr("class", `cell-side ${side}`));
  const lines = svg.append("g");
  const weights = svg.append("rect").attr("class", "cell-weights").attr("rx", 4);
  const weightsText = svg.append("text").attr("class", "cell-weights").text("× Wᵀ");
  const marks = svg.append("g");
  const labels = svg.append("g");
  let layout: CellLayout | null = null;
  let way: 1 | -1 = 1;

  onLeave(svg, () => onPoint(null));

  function drawFrame({ frame: box, weights: product, width, height }: CellLayout) {
    svg.attr("width", width).attr("height", height);
    for (const [node, at] of [
      [frame, box],
      [weights, product],
    ] as const) {
      node.attr("x", at.x).attr("y", at.y).attr("width", at.width).attr("height", at.height);
    }
    frameText
      .attr("x", way > 0 ? box.x + 10 : box.x + box.width - 10)
      .attr("y", box.y + box.height - 7)
      .attr("text-anchor", way > 0 ? "start" : "end");
    weightsText.attr("x", product.x + product.width / 2).attr("y", product.y + product.height / 2);
    // The step before is on the left, but for a cell that reads backward.
    for (const [index, side] of sides.entries()) {
      const left = (index === 0) === way > 0;
      side
        .attr("x", left ? 0 : width)
        .attr("y", height - 4)
        .attr("text-anchor", left ? "start" : "end");
    }
  }

  function drawMarks({ marks: all }: CellLayout, activation: string) {
    marks
      .selectAll<SVGGElement, LaidMark>("g")
      .data(all)
      .join((entered) => {
        const group = entered.append("g");
        group.append("rect");
        group.append("text");
        return group;
      })
      .attr("class", ({ kind }) => `cell-mark ${kind}`)
      .attr("transform", ({ x, y }) => `translate(${x},${y})`)
      .each(function draw({ reach: [across, down], text }) {
        const group = select(this);
        group
          .select("rect")
          .attr("x", -across)
          .attr("y", -down)
          .attr("width", 2 * across)
          .attr("height", 2 * down)
          .attr("rx", down);
        group.select("text").text(text === "f" ? activation : text);
      });
  }

  const key = (edge: LaidEdge) => edge.name;

  function drawLines({ edges }: CellLayout) {
    lines
      .selectAll<SVGGElement, LaidEdge>("g")
      .data(edges, key as never)
      .join((entered) => {
        const group = entered.append("g").attr("class", "cell-edge");
        group.append("path").attr("class", "flow");
        group.append("path").attr("class", "arrow");
        group.append("path").attr("class", "target").attr("stroke-width", REACH);
        return group;
      })
      .attr("data-edge", key)
      .on("pointerenter pointerdown", (_, edge) => onPoint(edge.name))
      .each(function draw({ strokes }) {
        const path = strokes.map(({ points }) => pathThrough(points)).join("");
        select(this).selectAll(".flow, .target").attr("d", path);
      });
    labels
      .selectAll<SVGTextElement, LaidEdge>("text")
      .data(edges, key as never)
      .join("text")
      .attr("data-edge", key)
      .on("pointerenter pointerdown", (_, edge) => onPoint(edge.name));
  }

  return {
    svg,
    layOut(kind, activation, room, direction) {
      way = direction;
      layout = layOutCell(kind, room, way);
      drawFrame(layout);
      drawMarks(layout, activation);
      drawLines(layout);
    },
    draw({ step }, sent, decades) {
      if (!layout) return;
      const largest = sent.extent?.[1] ?? 1;
      const sizes = new Map(layout.edges.map(({ name }) => [name, sent.sizes(name)[step - sent.first]]));
      const size = ({ name }: LaidEdge) => sizes.get(name) ?? Number.NaN;
      const part = (edge: LaidEdge) => strength(size(edge), largest, decades);
      lines
        .selectAll<SVGGElement, LaidEdge>("g")
        .classed("none", (edge) => size(edge) === 0)
        .classed("not-finite", (edge) => !Number.isFinite(size(edge)))
        .style("opacity", (edge) => opacityOf(part(edge)))
        .each(function draw(edge) {
          const width = widthOf(part(edge));
          const group = select(this);
          group.select(".flow").attr("stroke-width", width);
          group.select(".arrow").attr("d", arrowsOf(edge, width));
        });
      labels
        .selectAll<SVGTextElement, LaidEdge>("text")
        .each(function draw(edge) {
          placeLabel(this, edge.label, widthOf(part(edge)) / 2);
        })
        .text((edge) => formatNumber(size(edge), 2));
      frameText.text(`step ${step}`);
      sides[0].text(`step ${step - way}`);
      sides[1].text(`step ${step + way}`);
      marks
        .selectAll<SVGGElement, LaidMark>("g")
        .filter((mark) => mark.step !== undefined)
        .select("text")
        .text((mark) => mark.text + subscript(step + way * (mark.step ?? 0)));
    },
    light(edge) {
      lines.selectAll<SVGGElement, LaidEdge>("g").classed("lit", ({ name }) => name === edge);
      labels.selectAll<SVGTextElement, LaidEdge>("text").classed("lit", ({ name }) => name === edge);
    },
    placeOf(edge) {
      const node = labels.select(`[data-edge="${edge}"]`).node() as Element | null;
      return node?.getBoundingClientRect() ?? null;
    },
  };
}

/** A line with rounded corners. */
function pathThrough(points: Place[]): string {
  const [start, ...rest] = points;
  const parts = rest.map((corner, index) => {
    const after = rest[index + 1];
    if (!after) return `L${corner.x},${corner.y}`;
    const near = (other: Place) => {
      const [dx, dy] = [other.x - corner.x, other.y - corner.y];
      const share = Math.min(0.5, CORNER / Math.hypot(dx, dy));
      return `${corner.x + share * dx},${corner.y + share * dy}`;
    };
    return `L${near(points[index])}Q${corner.x},${corner.y} ${near(after)}`;
  });
  return `M${start.x},${start.y}${parts.join("")}`;
}

/** Heads that end where the lines end. */
function arrowsOf({ strokes }: LaidEdge, width: number): string {
  const [long, half] = [6 + 0.5 * width, 4 + 0.6 * width];
  return strokes
    .map(({ arrow }) => {
      if (!arrow) return "";
      const { at, towards } = arrow;
      const [dx, dy] = towards;
      const back = { x: at.x - dx * long, y: at.y - dy * long };
      return `M${at.x},${at.y}L${back.x - dy * half},${back.y + dx * half}L${back.x + dy * half},${back.y - dx * half}z`;
    })
    .join("");
}

function placeLabel(node: SVGTextElement, { x, y, side }: LaidEdge["label"], half: number) {
  const off = half + DISTANCE;
  const places: Record<typeof side, [x: number, y: number, anchor: string]> = {
    above: [x, y - off, "middle"],
    below: [x, y + off + 9, "middle"],
    left: [x - off, y + 4, "end"],
    right: [x + off, y + 4, "start"],
    on: [x, y + 4, "middle"],
  };
  const [left, top, anchor] = places[side];
  node.setAttribute("x", String(left));
  node.setAttribute("y", String(top));
  node.setAttribute("text-anchor", anchor);
}
