/**
 * The picture of a cell: where its operations stand, and along which lines a gradient goes from the output to the
 * inputs. Later steps are on the right, like in the other panels; for a cell that reads backward it is mirrored.
 */

import type { CellKind } from "./cell_words";

/** Across in parts of the width (0 and 1 are the sides of the cell), down in pixels. */
type Point = [across: number, down: number];

interface Stroke {
  points: Point[];
  /** The gradient arrives where it ends. */
  arrow?: boolean;
}

interface EdgePlan {
  strokes: Stroke[];
  /** Where its number stands. */
  label: { at: Point; side: "above" | "below" | "left" | "right" | "on" };
}

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
      later_c: {
        strokes: [
          {
            points: [
              [AFTER, c],
              [o, c],
            ],
            arrow: true,
          },
        ],
        label: { at: [(o + AFTER) / 2 + 0.02, c], side: "above" },
      },
      c: {
        strokes: [
          {
            points: [
              [o, c],
              [join, c],
            ],
          },
          {
            points: [
              [join, c],
              [f, c],
            ],
            arrow: true,
          },
          {
            points: [
              [join, c],
              [join, product],
            ],
            arrow: true,
          },
        ],
        label: { at: [(o + join) / 2 + 0.01, c], side: "above" },
      },
      c_before: {
        strokes: [
          {
            points: [
              [f, c],
              [BEFORE, c],
            ],
            arrow: true,
          },
        ],
        label: { at: [f / 2 - 0.05, c], side: "above" },
      },
      later_h: {
        strokes: [
          {
            points: [
              [AFTER, h],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [AFTER - 0.02, h], side: "above" },
      },
      loss: {
        strokes: [
          {
            points: [
              [state, 338],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [state, 254], side: "right" },
      },
      h: {
        strokes: [
          {
            points: [
              [state, h],
              [o, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + o) / 2, h], side: "above" },
      },
      tanh_c: {
        strokes: [
          {
            points: [
              [o, h],
              [o, c],
            ],
            arrow: true,
          },
        ],
        label: { at: [o, 90], side: "right" },
      },
      o: {
        strokes: [
          {
            points: [
              [o, h],
              [o, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [o, 252], side: "on" },
      },
      f: {
        strokes: [
          {
            points: [
              [f, c],
              [f, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [f, 252], side: "on" },
      },
      i: {
        strokes: [
          {
            points: [
              [join, product],
              [i, product],
              [i, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [i, 252], side: "on" },
      },
      g: {
        strokes: [
          {
            points: [
              [join, product],
              [g, product],
              [g, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [g, 252], side: "on" },
      },
      h_before: {
        strokes: [
          {
            points: [
              [0.04, box],
              [BEFORE, box],
            ],
            arrow: true,
          },
        ],
        label: { at: [-0.03, box], side: "above" },
      },
      x: {
        strokes: [
          {
            points: [
              [join, box + BOX / 2],
              [join, 336],
            ],
            arrow: true,
          },
        ],
        label: { at: [join, 322], side: "right" },
      },
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
      later_direct: {
        strokes: [
          {
            points: [
              [AFTER, h],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + AFTER) / 2, h], side: "above" },
      },
      later_h: {
        strokes: [
          {
            points: [
              [AFTER, product],
              [state, product],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + AFTER) / 2, product], side: "below" },
      },
      loss: {
        strokes: [
          {
            points: [
              [state, 14],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [state, 28], side: "left" },
      },
      h: {
        strokes: [
          {
            points: [
              [state, h],
              [n, h],
            ],
          },
          {
            points: [
              [n, h],
              [direct, h],
            ],
            arrow: true,
          },
          {
            points: [
              [n, h],
              [n, product],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + n) / 2, h], side: "above" },
      },
      direct: {
        strokes: [
          {
            points: [
              [direct, h],
              [BEFORE, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [direct / 2 - 0.05, h], side: "above" },
      },
      z: {
        strokes: [
          {
            points: [
              [direct, h],
              [direct, product],
              [z, product],
            ],
          },
          {
            points: [
              [n, product],
              [z, product],
            ],
          },
          {
            points: [
              [z, product],
              [z, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [z, 250], side: "on" },
      },
      n: {
        strokes: [
          {
            points: [
              [n, product],
              [n, top],
            ],
            arrow: true,
          },
          {
            points: [
              [n, gate],
              [reset, gate],
            ],
            arrow: true,
          },
        ],
        label: { at: [n, 250], side: "on" },
      },
      reset_product: {
        strokes: [
          {
            points: [
              [reset, gate],
              [reset, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [reset, 250], side: "on" },
      },
      r: {
        strokes: [
          {
            points: [
              [reset, gate],
              [r, gate],
              [r, top],
            ],
            arrow: true,
          },
        ],
        label: { at: [r, 250], side: "on" },
      },
      h_before: {
        strokes: [
          {
            points: [
              [0.04, box],
              [BEFORE, box],
            ],
            arrow: true,
          },
        ],
        label: { at: [-0.03, box], side: "above" },
      },
      x: {
        strokes: [
          {
            points: [
              [n, box + BOX / 2],
              [n, 332],
            ],
            arrow: true,
          },
        ],
        label: { at: [n, 318], side: "right" },
      },
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
      later_h: {
        strokes: [
          {
            points: [
              [AFTER, h],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + AFTER) / 2, h], side: "above" },
      },
      loss: {
        strokes: [
          {
            points: [
              [state, 14],
              [state, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [state, 32], side: "left" },
      },
      h: {
        strokes: [
          {
            points: [
              [state, h],
              [slope, h],
            ],
            arrow: true,
          },
        ],
        label: { at: [(state + slope) / 2, h], side: "above" },
      },
      a: {
        strokes: [
          {
            points: [
              [slope, h],
              [weights, h],
              [weights, box - BOX / 2],
            ],
            arrow: true,
          },
        ],
        label: { at: [(slope + weights) / 2, h], side: "above" },
      },
      h_before: {
        strokes: [
          {
            points: [
              [0.1, box],
              [BEFORE, box],
            ],
            arrow: true,
          },
        ],
        label: { at: [0, box], side: "above" },
      },
      x: {
        strokes: [
          {
            points: [
              [weights, box + BOX / 2],
              [weights, 206],
            ],
            arrow: true,
          },
        ],
        label: { at: [weights, 192], side: "right" },
      },
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

export interface LaidStroke {
  points: Place[];
  /** Where the gradient arrives, short of the mark that it arrives at, and in which direction; null: it goes on. */
  arrow: { at: Place; towards: [x: number, y: number] } | null;
}

export interface LaidEdge {
  name: string;
  strokes: LaidStroke[];
  label: Place & { side: "above" | "below" | "left" | "right" | "on" };
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
