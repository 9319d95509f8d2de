/** Panel 3 as stacked bars: one bar for each step, its parts ordered by how far in the future their loss lies. */

import { setAttributes } from "../browser/dom";
import type { Shown } from "../figure/figure";
import { type Focus, focusedLoss } from "../geometry/focus";
import { createLadder, isGrouped, rungOf } from "../geometry/ladder";
import { lagColor } from "../geometry/lag_colors";
import { scaleLinear } from "../geometry/scales";
import { createStack, type DrawnPart, type Part, type Stack } from "../geometry/stack";
import { indexOf, reachesBack, stepsOf } from "../protocol/lags";
import { totalText } from "../words/measures";
import { senderName } from "../words/surface_text";
import { type GradientForm, TOP } from "./gradient_form";
import { createLagLegend } from "./lag_legend";
import { defineHatch, drawValueAxis, pathOf, rounded, type Svg, withAttributes } from "./plot";

const PLOT = 200;
const BASE = TOP + PLOT;
/** A pointer this near to a bar's end still means the bar. */
const REACH = 4;
/** More parts than this are drawn as one path for each colour, not as an element each. */
const MANY_PARTS = 2_000;
/** In columns narrower than this the marks of the sums have no room for an outline, and are drawn as one. */
const JOINED = 4;
/** Highlighted pieces are at least this tall, or a loss could not be followed where its gradient is small. */
const HAIRLINE = 1;

export function createStackedBars(legendParent: HTMLElement, svg: Svg): GradientForm {
  const legend = createLagLegend(legendParent);
  const hatch = defineHatch(svg, "beyond");
  const againstHatch = defineHatch(svg, "against");
  const content = svg.append("g");
  const valueAxis = content.append("g").attr("class", "axis values");
  const partGroup = content.append("g");
  const pathGroup = content.append("g");
  const beyondGroup = content.append("g");
  const outlines = content.append("path");
  const overlay = content.append("path").attr("class", "lit-pieces");
  const pointedPart = content.append("rect").attr("class", "pointed-piece");
  const totalGroup = content.append("g");
  const zeroLine = content.append("line").attr("class", "zero-line");

  const scale = scaleLinear().range([BASE, TOP]);
  let drawn: { shown: Shown; stack: Stack; merged: boolean } | null = null;
  let stacked: { of: Float32Array; stack: Stack } | null = null;
  /** Elements of the parts, at the index of their piece, if every part has its own. */
  let nodes: SVGPolygonElement[] = [];
  /** What they were drawn of, and in which shades. */
  let drawnParts: DrawnPart[] = [];
  let drawnShades = "";
  let lit: Element[] = [];

  const top = (part: Part) => scale(part.high);
  /** Never below zero, which rounding could make of a part that is next to nothing. */
  const height = (part: Part) => Math.max(0, scale(part.low) - scale(part.high));

  /** Browsers draw in single precision: what has no height in it is not seen, and is not outlined either. */
  const isSeen = (part: Part | null) => part !== null && Math.fround(top(part) + height(part)) > Math.fround(top(part));

  /** Made once for each batch. */
  function stackOf({ snapshot, items }: Shown): Stack {
    const { buffer, byteOffset } = items.pieces;
    if (stacked?.of.buffer !== buffer || stacked.of.byteOffset !== byteOffset) {
      stacked = { of: items.pieces, stack: createStack(snapshot, items, createLadder(items)) };
    }
    return stacked.stack;
  }

  const place =
    ({ columns }: Shown) =>
    (part: Part): [number, number, number, number] => [
      columns.barX(part.step),
      rounded(top(part)),
      columns.barWidth(part.step),
      rounded(height(part)),
    ];

  const fillOf = (ladder: Stack["ladder"], rung: number, against: boolean) =>
    against ? againstHatch : lagColor(ladder[rung]);

  /**
   * Most of what is drawn are these: where only places have changed, nothing else is touched. The points of a polygon
   * are no property of style, as place and size of a rectangle are: style is not worked out anew.
   */
  function drawPolygons(parts: DrawnPart[], { columns, items }: Shown, { ladder }: Stack) {
    const made = partGroup.selectAll<SVGPolygonElement, DrawnPart>("polygon").data(parts).join("polygon").nodes();
    const shades = `${items.firstLag} ${items.lags}`;
    const before = shades === drawnShades ? drawnParts : [];
    nodes = [];
    parts.forEach((part, index) => {
      const { step, lag, rung, against } = part;
      const node = made[index];
      if (!before[index] || !sameButPlace(part, before[index])) {
        setAttributes(node, { class: "part", "data-step": step, "data-lag": lag, fill: fillOf(ladder, rung, against) });
      }
      const [left, high] = [columns.barX(step), top(part)];
      const [right, low] = [left + columns.barWidth(step), high + height(part)];
      node.setAttribute("points", `${left},${high} ${right},${high} ${right},${low} ${left},${low}`);
      nodes[indexOf(step, lag, items)] = node;
    });
    [drawnShades, drawnParts] = [shades, parts];
  }

  function drawPaths(parts: DrawnPart[], shown: Shown, stack: Stack) {
    const groups = stack.ladder.flatMap((_, rung) =>
      [false, true].map((against) => ({ rung, against, parts: [] as DrawnPart[] })),
    );
    for (const part of parts) if (part.high > part.low) groups[2 * part.rung + Number(part.against)].parts.push(part);
    pathGroup
      .selectAll("path")
      .data(groups.filter(({ parts: some, against }) => some.length > 0 || (!against && parts.length > 0)))
      .join("path")
      .attr("class", "part")
      .attr("data-rung", ({ rung }) => rung)
      .attr("fill", ({ rung, against }) => fillOf(stack.ladder, rung, against))
      .attr("d", (group) => pathOf(group.parts, place(shown)));
  }

  function drawEnds({ columns }: Shown, stack: Stack, merged: boolean) {
    const beyond = stack.beyond.slice(columns.first, columns.first + columns.count);
    const joined = columns.width < JOINED;
    drawOutlines(stack.bars.slice(columns.first, columns.first + columns.count), columns, joined);
    const total = (step: number) => scale(stack.marks?.[step] ?? 0) - 1;
    beyondGroup
      .selectAll<SVGRectElement, Part>("rect")
      .data(merged ? beyond.filter(({ low, high }) => high > low) : beyond)
      .join("rect")
      .each(
        withAttributes((part) => ({
          class: "beyond",
          "data-step": part.step,
          fill: hatch,
          x: columns.barX(part.step),
          width: columns.barWidth(part.step),
          y: top(part),
          height: height(part),
        })),
      );
    totalGroup
      .selectAll<SVGRectElement, Part>("rect")
      .data(joined || !stack.marks ? [] : beyond)
      .join("rect")
      .each(
        withAttributes(({ step }) => ({
          class: "total",
          "data-step": step,
          x: columns.barX(step) - 1,
          width: columns.barWidth(step) + 2,
          y: total(step),
          height: 2,
        })),
      );
    totalGroup
      .selectAll("path")
      .data(joined && stack.marks ? [0] : [])
      .join("path")
      .attr("class", "total line")
      .attr("d", () =>
        pathOf(beyond, ({ step }) => [columns.barX(step), rounded(total(step)), columns.barWidth(step), 2]),
      );
  }

  /** Narrow bars have no room for an outline: only their ends are drawn. */
  function drawOutlines(bars: Part[], { barX, barWidth }: Shown["columns"], joined: boolean) {
    const seen = bars.filter(({ low, high }) => high > low);
    const ends = seen.flatMap(({ step, low, high }) =>
      [low, high].filter((end) => end !== 0).map((end) => ({ step, y: rounded(scale(end)) - (end > 0 ? 0 : 1) })),
    );
    outlines
      .attr("class", `bar-outlines${joined ? " joined-bars" : ""}`)
      .attr(
        "d",
        joined
          ? pathOf(ends, ({ step, y }) => [barX(step), y, barWidth(step), 1])
          : pathOf(seen, (bar) => [barX(bar.step), rounded(top(bar)), barWidth(bar.step), rounded(height(bar))]),
      );
  }

  function light(node: Element | null | undefined, name: string) {
    if (!node) return;
    node.classList.add(name);
    lit.push(node);
  }

  function lightMerged(shown: Shown, loss: number | null, pieces: Part[]) {
    overlay.classed("hidden", loss === null);
    if (loss === null) return;
    const seen = pieces.filter(({ low, high }) => high > low);
    const grown = (part: Part): [number, number, number, number] => {
      const [x, y, width, tall] = place(shown)(part);
      return tall >= HAIRLINE ? [x, y, width, tall] : [x, y + tall - HAIRLINE, width, HAIRLINE];
    };
    overlay.attr("d", pathOf(seen, grown)).attr("data-loss", loss).attr("data-lags", shown.items.lags);
  }

  return {
    height: PLOT,
    get hint() {
      const { surface, items } = drawn?.shown ?? { surface: "W_hh", items: null };
      const sender = senderName(surface);
      const order =
        items && reachesBack(items)
          ? `What each step receives: upwards from later ${sender === "loss" ? "losses" : "states"}, downwards from ` +
            `earlier ones, darkest from its own ${sender}.`
          : `What each step receives: darkest from its own ${sender}, lighter from later ones.`;
      return `${order} Hover a part to see all that its ${sender} sent; click pins it.`;
    },
    extent: (shown) => stackOf(shown).extent,
    draw(shown) {
      const stack = stackOf(shown);
      const { columns, items, surface, measure, snapshot } = shown;
      const [least, most] = shown.extent ?? stack.extent;
      scale.domain(most > least ? [least, most] : [0, 1]);
      const parts = stack.parts.filter(({ step }) => columns.has(step));
      const merged = isGrouped(stack.ladder) || parts.length > MANY_PARTS;
      drawn = { shown, stack, merged };
      content.classed("hidden", false);
      drawValueAxis(valueAxis, scale, columns.left, columns.right, 5);
      drawPolygons(merged ? [] : parts, shown, stack);
      drawPaths(merged ? parts : [], shown, stack);
      drawEnds(shown, stack, merged);
      zeroLine.attr("x1", columns.left).attr("x2", columns.right).attr("y1", scale(0)).attr("y2", scale(0));
      const beyond = items.beyond?.some((value) => value !== 0) ?? false;
      const total = totalText(measure, snapshot);
      legend.update({
        ladder: stack.ladder,
        sender: senderName(surface),
        beyond,
        against: parts.some(({ against }) => against),
        total: !stack.marks ? null : reachesBack(items) ? `${total}, counted from the bar’s lower end` : total,
      });
    },
    clear() {
      drawn = null;
      content.classed("hidden", true);
      for (const group of [partGroup, pathGroup, beyondGroup, totalGroup]) group.selectAll("*").remove();
      legend.hide();
      nodes = [];
      drawnParts = [];
      lit = [];
    },
    pick(x, y) {
      if (!drawn) return null;
      const step = drawn.shown.columns.stepAt(x);
      const perPixel = (scale.domain()[1] - scale.domain()[0]) / PLOT;
      return step === null ? null : drawn.stack.find(step, scale.invert(y), REACH * perPixel);
    },
    box(step, lag) {
      const part = drawn?.shown.columns.has(step) ? drawn.stack.piece(step, lag) : null;
      return drawn && part ? place(drawn.shown)(part) : null;
    },
    light(focus: Focus) {
      for (const node of lit) node.classList.remove("same-loss", "pointed");
      lit = [];
      pointedPart.classed("hidden", true);
      overlay.classed("hidden", true);
      if (!drawn) return;
      const { stack, shown, merged } = drawn;
      const { columns, items } = shown;
      const loss = focusedLoss(focus);
      const reached = loss === null ? { first: 0, end: 0 } : stepsOf(loss, stack.steps, items);
      const sent: Part[] = [];
      for (let step = reached.first; loss !== null && step < reached.end; step += 1) {
        if (!columns.has(step)) continue;
        if (merged) sent.push(stack.piece(step, loss - step) as Part);
        else light(nodes[indexOf(step, loss - step, items)], "same-loss");
      }
      if (merged) lightMerged(shown, loss, sent);
      if (focus.target?.kind !== "part" || !columns.has(focus.target.step)) return;
      const { step, lag } = focus.target;
      const part = stack.piece(step, lag);
      if (lag === null) light(beyondGroup.select(`[data-step="${step}"]`).node() as Element | null, "pointed");
      else if (!merged && isSeen(part)) light(nodes[indexOf(step, lag, items)], "pointed");
      if (!merged || lag === null || !part) return;
      const [x, y, width, tall] = place(shown)(part);
      pointedPart
        .classed("hidden", false)
        .attr("x", x)
        .attr("y", y)
        .attr("width", width)
        .attr("height", Math.max(HAIRLINE, tall));
    },
    rung: (lag) => (drawn ? rungOf(drawn.stack.ladder, lag) : null),
    notes() {
      if (!drawn) return [];
      const { extent, incomplete } = drawn.stack;
      if (incomplete) return ["Values that are not finite cannot be drawn and are left out."];
      return extent[0] === extent[1] ? ["Every piece of this batch is zero."] : [];
    },
  };
}

const sameButPlace = (a: DrawnPart, b: DrawnPart) =>
  a.step === b.step && a.lag === b.lag && a.rung === b.rung && a.against === b.against;
