/** What the edges of a cell are called, by which formula a gradient goes along them, and what a step does to it. */

import { type LossFlow, type Spot, sizeAt } from "../geometry/cell_flow";
import type { CellKind } from "../geometry/cell_picture";
import type { CellFlow } from "../protocol/chunks";
import { counted, formatPercent } from "../words/format";
import { subscript } from "../words/subscripts";

interface EdgeWords {
  name: string;
  /** What flows here is the gradient with respect to this, at a step. */
  of: (at: Indices) => string;
  formula: (at: Indices) => string;
}

/** A step, the one that is read before it and the one after it, as indices. */
interface Indices {
  own: string;
  before: string;
  after: string;
  /** The loss. */
  loss: string;
}

const SYMBOLS = { own: "ⱼ", loss: "ₜ" };
const EARLIER = "ⱼ₋₁";
const LATER = "ⱼ₊₁";

const by = (what: string, { loss, own }: Indices) => `∂L${loss}/∂${what}${own}`;

const SHARED: Record<string, EdgeWords> = {
  later_h: {
    name: "from next step via W_hh",
    of: ({ own }) => `h${own}`,
    formula: (at) => `W_hhᵀ δ${at.after}`,
  },
  loss: {
    name: "from loss or layer above",
    of: ({ own }) => `h${own}`,
    formula: (at) => `what the read-out, or the layer above, sends to h${at.own}`,
  },
  h_before: {
    name: "to previous h via W_hh",
    of: ({ before }) => `h${before}`,
    formula: (at) => `W_hhᵀ δ${at.own}`,
  },
  x: {
    name: "to the input",
    of: ({ own }) => `x${own}`,
    formula: (at) => `W_ihᵀ of what reaches the pre-activations at ${at.own}`,
  },
};

const WORDS: Record<CellKind, Record<string, EdgeWords>> = {
  elman: {
    ...SHARED,
    h: { name: "h, all together", of: ({ own }) => `h${own}`, formula: (at) => `W_hhᵀ δ${at.after} + loss` },
    a: {
      name: "pre-activation",
      of: ({ own }) => `a${own}`,
      formula: (at) => `f′(a${at.own}) ⊙ ${by("h", at)}`,
    },
  },
  lstm: {
    ...SHARED,
    h: { name: "h, all together", of: ({ own }) => `h${own}`, formula: (at) => `W_hhᵀ δ${at.after} + loss` },
    o: {
      name: "output gate",
      of: ({ own }) => `o${own}`,
      formula: (at) => `σ′ ⊙ tanh(c${at.own}) ⊙ ${by("h", at)}`,
    },
    tanh_c: {
      name: "from h to c",
      of: ({ own }) => `c${own}`,
      formula: (at) => `o${at.own} ⊙ (1 − tanh² c${at.own}) ⊙ ${by("h", at)}`,
    },
    later_c: {
      name: "from next step along c",
      of: ({ own }) => `c${own}`,
      formula: (at) => `f${at.after} ⊙ ∂L${at.loss}/∂c${at.after}`,
    },
    c: {
      name: "c, all together",
      of: ({ own }) => `c${own}`,
      formula: (at) =>
        `o${at.own} ⊙ (1 − tanh² c${at.own}) ⊙ ${by("h", at)} + f${at.after} ⊙ ∂L${at.loss}/∂c${at.after}`,
    },
    c_before: {
      name: "to previous c",
      of: ({ before }) => `c${before}`,
      formula: (at) => `f${at.own} ⊙ ${by("c", at)}`,
    },
    f: {
      name: "forget gate",
      of: ({ own }) => `f${own}`,
      formula: (at) => `σ′ ⊙ c${at.before} ⊙ ${by("c", at)}`,
    },
    i: { name: "input gate", of: ({ own }) => `i${own}`, formula: (at) => `σ′ ⊙ g${at.own} ⊙ ${by("c", at)}` },
    g: {
      name: "candidate",
      of: ({ own }) => `g${own}`,
      formula: (at) => `(1 − g²) ⊙ i${at.own} ⊙ ${by("c", at)}`,
    },
  },
  gru: {
    ...SHARED,
    h: {
      name: "h, all together",
      of: ({ own }) => `h${own}`,
      formula: (at) => `W_hhᵀ δ${at.after} + z${at.after} ⊙ ∂L${at.loss}/∂h${at.after} + loss`,
    },
    later_direct: {
      name: "from next h past gates",
      of: ({ own }) => `h${own}`,
      formula: (at) => `z${at.after} ⊙ ∂L${at.loss}/∂h${at.after}`,
    },
    direct: {
      name: "to previous h past gates",
      of: ({ before }) => `h${before}`,
      formula: (at) => `z${at.own} ⊙ ${by("h", at)}`,
    },
    z: {
      name: "update gate",
      of: ({ own }) => `z${own}`,
      formula: (at) => `σ′ ⊙ (h${at.before} − n${at.own}) ⊙ ${by("h", at)}`,
    },
    n: {
      name: "candidate",
      of: ({ own }) => `n${own}`,
      formula: (at) => `(1 − n²) ⊙ (1 − z${at.own}) ⊙ ${by("h", at)}`,
    },
    reset_product: {
      name: "reset product",
      of: ({ own }) => `s${own}`,
      formula: (at) => `r${at.own} ⊙ ${by("n", at)}, with s = W_hn h${at.before} + b_hn`,
    },
    r: { name: "reset gate", of: ({ own }) => `r${own}`, formula: (at) => `σ′ ⊙ s${at.own} ⊙ ${by("n", at)}` },
  },
};

/** Gradients of gates are those of their pre-activations. */
const GATES = new Set(["i", "f", "g", "o", "r", "z", "n"]);

/** How an edge is called. */
export const edgeName = (edge: string, kind: CellKind | null) => (kind && WORDS[kind][edge]?.name) || edge;

/** What flows along an edge: ∂L₂₄/∂c₁₂. `way` is 1 where the cell reads forward, −1 where it reads backward. */
export function gradientName(edge: string, kind: CellKind, { loss, step }: Spot, way: 1 | -1): string {
  const at = indicesOf(step, loss, way);
  const what = WORDS[kind][edge].of(at);
  return `∂L${at.loss}/∂${GATES.has(edge) ? `a(${what})` : what}`;
}

const indicesOf = (step: number, loss: number, way: 1 | -1): Indices => ({
  own: subscript(step),
  before: subscript(step - way),
  after: subscript(step + way),
  loss: subscript(loss),
});

/** By which formula, in steps j and losses t. */
export const formulaOf = (edge: string, kind: CellKind, way: 1 | -1) =>
  WORDS[kind][edge].formula({
    ...SYMBOLS,
    before: way > 0 ? EARLIER : LATER,
    after: way > 0 ? LATER : EARLIER,
  });

/** What a step passes on to the one before it: of what comes in along one edge, what goes out along another. */
const PASSES: Record<CellKind, { into: "h" | "c"; out: string; words: (part: string) => string }[]> = {
  elman: [{ into: "h", out: "h_before", words: throughWeights }],
  lstm: [
    { into: "c", out: "c_before", words: (part) => `along c the forget gate passes on ${part}` },
    { into: "h", out: "h_before", words: throughWeights },
  ],
  gru: [
    { into: "h", out: "direct", words: (part) => `past the gates ${part} of it goes on` },
    { into: "h", out: "h_before", words: throughWeights },
  ],
};

function throughWeights(part: string) {
  return `through W_hh the previous h gets ${part} of what h has`;
}

/** Where the step is, how much is left of what the loss sent, and what the step passes on. */
export function describeSpot(spot: Spot, flow: CellFlow, sent: LossFlow, kind: CellKind | null): string {
  const lag = spot.loss - spot.step;
  const where =
    lag === 0 ? "its own step" : `step ${spot.step}, ${counted(Math.abs(lag), "step")} ${lag > 0 ? "back" : "ahead"}`;
  const start = `The loss of step ${spot.loss} at ${where}`;
  if (!sent.extent) return `${start}: it sent nothing.`;
  if (!kind) return `${start}.`;
  const size = (name: string) => {
    const edge = flow.edges.find((one) => one.name === name);
    return edge ? sizeAt(edge, spot, flow) : Number.NaN;
  };
  const told = PASSES[kind].flatMap(({ into, out }) => [size(into), size(out)]);
  if (!told.every(Number.isFinite)) return `${start}: what it sent is not finite.`;
  const largest = sent.extent[1];
  const states = [...new Set(PASSES[kind].map(({ into }) => into))];
  if (!states.some((into) => size(into) > 0)) return `${start}: nothing is left of it.`;
  const left = states.map((into) => `${formatPercent(size(into) / largest)} at ${into}`).join(" and ");
  const passed = PASSES[kind]
    .filter(({ into }) => size(into) > 0)
    .map(({ into, out, words }) => words(formatPercent(size(out) / size(into))))
    .join("; ");
  return `${start}: of its largest gradient, ${left}. Here ${passed}.`;
}
