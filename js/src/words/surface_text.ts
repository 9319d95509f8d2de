/** What surfaces are called: what they are the gradient of, and where in the network. */

import type { Base, Direction, Info, Measure } from "../protocol/contract";
import { parseSurface, type Surface } from "../state/surfaces";
import { formatCount } from "./format";
import { inUnits } from "./task";

interface BaseText {
  /** In a list of choices. */
  option: string;
  /** What one piece is, or is a part of. */
  symbol: string;
  /** What all pieces of a step, or of the batch, make together. */
  whole: string;
  unit: string;
  explanation: string;
}

export const BASE_TEXT: Record<Base, BaseText> = {
  W_hh: {
    option: "∂L/∂W_hh: recurrent weights",
    symbol: "∂L/∂W_hh",
    whole: "∂L/∂W_hh",
    unit: "nats per unit weight",
    explanation: "What the loss of step t changes in the recurrent weights by way of step j: the paper's gradient.",
  },
  W_ih: {
    option: "∂L/∂W_ih: input weights",
    symbol: "∂L/∂W_ih",
    whole: "∂L/∂W_ih",
    unit: "nats per unit weight",
    explanation: "What the loss of step t changes in the input weights by way of step j.",
  },
  h: {
    option: "∂L_t/∂h_j: state, short-term memory",
    symbol: "∂L_t/∂h_j",
    whole: "Σ_t ∂L_t/∂h_j",
    unit: "nats per unit of h",
    explanation: "How the loss of step t changes with the state h of step j.",
  },
  c: {
    option: "∂L_t/∂c_j: cell, long-term memory",
    symbol: "∂L_t/∂c_j",
    whole: "Σ_t ∂L_t/∂c_j",
    unit: "nats per unit of c",
    explanation: "How the loss of step t changes with the cell state c of step j: along it a gradient can survive.",
  },
  jacobian: {
    option: "‖∂h_t/∂h_j‖: Jacobian",
    symbol: "∂h_t/∂h_j",
    whole: "∂h_t/∂h_j",
    unit: "no unit",
    explanation: "How much the state of step t can change with that of step j, whatever the loss: the spectral norm.",
  },
};

export const DIRECTION_TEXT: Record<Direction, string> = {
  forward: "forward",
  reverse: "reverse",
  both: "both directions",
};

const GATE_TEXT: Record<string, string> = {
  i: "input",
  f: "forget",
  g: "candidate",
  o: "output",
  r: "reset",
  z: "update",
  n: "new",
};

/** "f: forget". */
export const gateName = (gate: string) => (GATE_TEXT[gate] ? `${gate}: ${GATE_TEXT[gate]}` : gate);

/** What of a network with one track needs no words is "". People count layers from 1, the first being next to the input. */
export function placeOf({ layer, direction, selector }: Surface, { num_layers, bidirectional, gates }: Info): string {
  const gate = selector !== null && gates.includes(selector);
  const parts = [
    num_layers > 1 && `layer ${formatCount(layer + 1)} of ${formatCount(num_layers)}`,
    bidirectional && DIRECTION_TEXT[direction],
    selector !== null && (gate ? `gate ${selector}` : `unit ${selector}`),
  ];
  return parts.filter(Boolean).join(", ");
}

/** "∂L/∂W_hh, layer 2 of 3, reverse". */
export function surfaceName(name: string, info: Info): string {
  const surface = parseSurface(name);
  const symbol = surface.base === "jacobian" ? "‖∂h_t/∂h_j‖" : BASE_TEXT[surface.base].symbol;
  return [symbol, placeOf(surface, info)].filter(Boolean).join(", ");
}

/** The same; "" if it goes without saying, since the network has one track and what is shown is recorded first. */
export function distinctName(name: string, info: Info): string {
  const plain = info.num_layers === 1 && !info.bidirectional && name === info.primary;
  return plain ? "" : surfaceName(name, info);
}

/** What the shares of a surface add up to, in norm bars. */
export const wholeName = (name: string) => `‖${BASE_TEXT[parseSurface(name).base].whole}‖`;

/** The weights or states that a surface is of: "W_hh". */
export const receiverName = (name: string) => parseSurface(name).base;

export const receiverSymbol = (name: string) => BASE_TEXT[parseSurface(name).base].symbol;

export const isState = (name: string) => ["h", "c"].includes(parseSurface(name).base);
export const isJacobian = (name: string) => parseSurface(name).base === "jacobian";

/** What sends what a step receives. */
export const senderName = (name: string) => (isJacobian(name) ? "state" : "loss");

/** The axis of the stacked bars, from the longest to the shortest way of saying it. */
export function axisTexts(name: string, measure: Measure, info: Info): string[] {
  const surface = parseSurface(name);
  const { symbol, whole, unit } = BASE_TEXT[surface.base];
  const where = placeOf(surface, info);
  const at = where && `, ${where}`;
  if (surface.base === "jacobian") return [`spectral norm ‖∂h_t/∂h_j‖ for each later step t${at}`, "‖∂h_t/∂h_j‖"];
  const of = isState(name) ? symbol : `each piece of ${symbol}`;
  const said = {
    norm: `norm of ${of}`,
    mean_abs: `mean |entry| of ${of}`,
    share: isState(name)
      ? `signed share of ${symbol} in its step’s ‖${whole}‖`
      : `signed share of each piece in ‖${whole}‖`,
  }[measure];
  return [`${said}${at} (${inUnits(unit, info)})`, `${said}${at}`, `${said}`];
}

/** Why the pieces of a step are exactly zero: the state that it starts from is. Of a flow that reads backwards, the last. */
export const zeroStateText = (step: number) =>
  `the state ${step === 0 ? "before the first" : "after the last"} step is 0`;
