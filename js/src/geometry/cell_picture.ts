/**
 * The picture of a cell: where its operations stand, and along which lines a gradient goes from the output to the
 * inputs. Later steps are on the right, like in the other panels; for a cell that reads backward it is mirrored.
 */

import type { CellFlow } from "../protocol/chunks";

export const CELL_KINDS = ["elman", "lstm", "gru"] as const;
export type CellKind = (typeof CELL_KINDS)[number];

const KINDS: Record<string, CellKind> = { tanh: "elman", relu: "elman", lstm: "lstm", gru: "gru" };

/** Which picture a cell has; null: none, as a person's own cell may do anything between the same edges. */
export const kindOf = ({ cell }: Pick<CellFlow, "cell">): CellKind | null => KINDS[cell ?? ""] ?? null;

/** Across in parts of the width (0 and 1 are the sides of the cell), down in pixels. */
type Point = [across: number, down: number];

interface Stroke {
  points: Point[];
  /** The gradient arrives where it ends. */
  arrow?: boolean;
}

type Side = "above" | "below" | "left" | "right" | "on";

interface EdgePlan {
  strokes: Stroke[];
  /** Where its number stands. */
  label: { at: Point; side: Side };
}

const line = (...points: Point[]): Stroke => ({ points });
const arrow = (...points: Point[]): Stroke => ({ points, arrow: true });
const edge = (side: Side, at: Point, ...strokes: Stroke[]): EdgePlan => ({ strokes, label: { at, side } });

export interface Mark {
  at: Point;
  kind: "operation" | "join" | "state" | "input" | "aside";
  /** `state` h and c are of a step: the text is completed with its index. */
  text: string;
  /** Relative to the step, in reading order. */
  step?: -1 | 0;
}

interface Plan {
  height: number;
  /** The box in which gradients are multiplied by the transposed weights. */
  weights: { from: number; to: number; down: number };
  /** The frame around what belongs to the step. */
  frame: { from: number; to: number; top: number; bottom: number };
  edges: Record<string, EdgePlan>;
  marks: Mark[];
}

/** Ends of lines that leave the cell. */
const [BEFORE, AFTER] = [-0.1, 1.1];
const BOX = 24;

function lstm(): Plan {
  const [c, h, gate, box] = [56, 172, 222, 286];
  const [f, i, g, o, state] = [0.13, 0.36, 0.57, 0.77, 0.93];
  const join = (i + g) / 2;
  const product = 118;
  const top = box - BOX / 2;
  return {
    height: 352,
    weights: { from: 0.04, to: 0.86, down: box },
    frame: { from: 0, to: 1, top: 26, bottom: 318 },
    edges: {
      later_c: edge("above", [(o + AFTER) / 2 + 0.02, c], arrow([AFTER, c], [o, c])),
      c: edge(
        "above",
        [(o + join) / 2 + 0.01, c],
        line([o, c], [join, c]),
        arrow([join, c], [f, c]),
        arrow([join, c], [join, product]),
      ),
      c_before: edge("above", [f / 2 - 0.05, c], arrow([f, c], [BEFORE, c])),
      later_h: edge("above", [AFTER - 0.02, h], arrow([AFTER, h], [state, h])),
      loss: edge("right", [state, 254], arrow([state, 338], [state, h])),
      h: edge("above", [(state + o) / 2, h], arrow([state, h], [o, h])),
      tanh_c: edge("right", [o, 90], arrow([o, h], [o, c])),
      o: edge("on", [o, 252], arrow([o, h], [o, top])),
      f: edge("on", [f, 252], arrow([f, c], [f, top])),
      i: edge("on", [i, 252], arrow([join, product], [i, product], [i, top])),
      g: edge("on", [g, 252], arrow([join, product], [g, product], [g, top])),
      h_before: edge("above", [-0.03, box], arrow([0.04, box], [BEFORE, box])),
      x: edge("right", [join, 322], arrow([join, box + BOX / 2], [join, 336])),
    },
    marks: [
      { at: [BEFORE, c], kind: "state", text: "c", step: -1 },
      { at: [BEFORE, box], kind: "state", text: "h", step: -1 },
      { at: [f, c], kind: "operation", text: "×" },
      { at: [join, c], kind: "operation", text: "+" },
      { at: [join, product], kind: "operation", text: "×" },
      { at: [o, c], kind: "join", text: "c", step: 0 },
      { at: [o, 122], kind: "operation", text: "tanh" },
      { at: [o, h], kind: "operation", text: "×" },
      { at: [state, h], kind: "join", text: "h", step: 0 },
      { at: [f, gate], kind: "operation", text: "σ f" },
      { at: [i, gate], kind: "operation", text: "σ i" },
      { at: [g, gate], kind: "operation", text: "tanh g" },
      { at: [o, gate], kind: "operation", text: "σ o" },
      { at: [join, 344], kind: "input", text: "x", step: 0 },
      { at: [state, 346], kind: "aside", text: "loss" },
    ],
  };
}

function gru(): Plan {
  const [h, product, gate, box] = [66, 126, 214, 282];
  const [direct, z, n, reset, r, state] = [0.16, 0.34, 0.55, 0.76, 0.97, 0.88];
  const top = box - BOX / 2;
  return {
    height: 348,
    weights: { from: 0.04, to: 1.02, down: box },
    frame: { from: 0, to: 1.04, top: 38, bottom: 314 },
    edges: {
      later_direct: edge("above", [(state + AFTER) / 2, h], arrow([AFTER, h], [state, h])),
      later_h: edge("below", [(state + AFTER) / 2, product], arrow([AFTER, product], [state, product], [state, h])),
      loss: edge("left", [state, 28], arrow([state, 14], [state, h])),
      h: edge(
        "above",
        [(state + n) / 2, h],
        line([state, h], [n, h]),
        arrow([n, h], [direct, h]),
        arrow([n, h], [n, product]),
      ),
      direct: edge("above", [direct / 2 - 0.05, h], arrow([direct, h], [BEFORE, h])),
      z: edge(
        "on",
        [z, 250],
        line([direct, h], [direct, product], [z, product]),
        line([n, product], [z, product]),
        arrow([z, product], [z, top]),
      ),
      n: edge("on", [n, 250], arrow([n, product], [n, top]), arrow([n, gate], [reset, gate])),
      reset_product: edge("on", [reset, 250], arrow([reset, gate], [reset, top])),
      r: edge("on", [r, 250], arrow([reset, gate], [r, gate], [r, top])),
      h_before: edge("above", [-0.03, box], arrow([0.04, box], [BEFORE, box])),
      x: edge("right", [n, 318], arrow([n, box + BOX / 2], [n, 332])),
    },
    marks: [
      { at: [BEFORE, h], kind: "state", text: "h", step: -1 },
      { at: [BEFORE, box], kind: "state", text: "h", step: -1 },
      { at: [direct, h], kind: "operation", text: "× z" },
      { at: [n, h], kind: "operation", text: "+" },
      { at: [n, product], kind: "operation", text: "× 1−z" },
      { at: [state, h], kind: "join", text: "h", step: 0 },
      { at: [z, gate], kind: "operation", text: "σ z" },
      { at: [n, 172], kind: "operation", text: "tanh n" },
      { at: [n, gate], kind: "operation", text: "+" },
      { at: [reset, gate], kind: "operation", text: "×" },
      { at: [r, gate], kind: "operation", text: "σ r" },
      { at: [n, 340], kind: "input", text: "x", step: 0 },
      { at: [state, 6], kind: "aside", text: "loss" },
    ],
  };
}

function elman(): Plan {
  const [h, box] = [78, 156];
  const [weights, slope, state] = [0.3, 0.58, 0.86];
  return {
    height: 222,
    weights: { from: 0.1, to: 0.5, down: box },
    frame: { from: 0, to: 1, top: 44, bottom: 188 },
    edges: {
      later_h: edge("above", [(state + AFTER) / 2, h], arrow([AFTER, h], [state, h])),
      loss: edge("left", [state, 32], arrow([state, 14], [state, h])),
      h: edge("above", [(state + slope) / 2, h], arrow([state, h], [slope, h])),
      a: edge("above", [(slope + weights) / 2, h], arrow([slope, h], [weights, h], [weights, box - BOX / 2])),
      h_before: edge("above", [0, box], arrow([0.1, box], [BEFORE, box])),
      x: edge("right", [weights, 192], arrow([weights, box + BOX / 2], [weights, 206])),
    },
    marks: [
      { at: [BEFORE, box], kind: "state", text: "h", step: -1 },
      { at: [state, h], kind: "join", text: "h", step: 0 },
      { at: [slope, h], kind: "operation", text: "f" },
      { at: [weights, 214], kind: "input", text: "x", step: 0 },
      { at: [state, 6], kind: "aside", text: "loss" },
    ],
  };
}

const PLANS: Record<CellKind, Plan> = { lstm: lstm(), gru: gru(), elman: elman() };

/** Wider pictures would only pull their parts apart. */
const WIDEST = 640;
/** Room on either side for what leaves the cell. */
const SIDE = 0.14;
const RADIUS = 11;
/** Room that a character of an operation takes. */
const LETTER = 6.4;

export interface Place {
  x: number;
  y: number;
}

interface LaidStroke {
  points: Place[];
  /** Where the gradient arrives, short of the mark that it arrives at, and in which direction; null: it goes on. */
  arrow: { at: Place; towards: [x: number, y: number] } | null;
}

export interface LaidEdge {
  name: string;
  strokes: LaidStroke[];
  label: Place & { side: Side };
}

export interface LaidMark extends Omit<Mark, "at">, Place {
  /** Half of the room that it takes. */
  reach: [x: number, y: number];
}

export interface CellLayout {
  width: number;
  height: number;
  edges: LaidEdge[];
  marks: LaidMark[];
  weights: Place & { width: number; height: number };
  frame: Place & { width: number; height: number };
}

/** `way` is 1 where the cell reads forward; −1, where it reads backward, mirrors the picture. */
export function layOutCell(kind: CellKind, room: number, way: 1 | -1): CellLayout {
  const { height, edges, marks, weights, frame } = PLANS[kind];
  const width = Math.min(WIDEST, room);
  const inner = width / (1 + 2 * SIDE);
  const across = (part: number) => Math.round((SIDE + (way > 0 ? part : 1 - part)) * inner);
  const place = ([part, y]: Point): Place => ({ x: across(part), y });
  const box = (from: number, to: number, y: number, tall: number) => ({
    x: Math.min(across(from), across(to)),
    y,
    width: Math.abs(across(to) - across(from)),
    height: tall,
  });
  const laidMarks = marks.map(({ at, ...mark }) => ({ ...mark, ...place(at), reach: reachOf(mark) }));
  return {
    width,
    height,
    edges: Object.entries(edges).map(([name, { strokes, label }]) => ({
      name,
      strokes: strokes.map((stroke) => layOutStroke(stroke.points.map(place), stroke.arrow ?? false, laidMarks)),
      label: { ...place(label.at), side: label.side },
    })),
    marks: laidMarks,
    weights: box(weights.from, weights.to, weights.down - BOX / 2, BOX),
    frame: box(frame.from, frame.to, frame.top, frame.bottom - frame.top),
  };
}

function reachOf({ kind, text }: Pick<Mark, "kind" | "text">): [x: number, y: number] {
  if (kind === "operation") return [Math.max(RADIUS, (LETTER * text.length) / 2 + 5), RADIUS];
  if (kind === "join") return [RADIUS + 5, RADIUS + 1];
  return kind === "state" ? [RADIUS + 2, 0] : [0, 0];
}

function layOutStroke(points: Place[], arrow: boolean, marks: LaidMark[]): LaidStroke {
  if (!arrow) return { points, arrow: null };
  const [before, end] = points.slice(-2);
  const towards: [number, number] = [Math.sign(end.x - before.x), Math.sign(end.y - before.y)];
  const [x, y] = marks.find((mark) => mark.x === end.x && mark.y === end.y)?.reach ?? [0, 0];
  const at = { x: end.x - towards[0] * x, y: end.y - towards[1] * y };
  return { points: [...points.slice(0, -1), at], arrow: { at, towards } };
}
