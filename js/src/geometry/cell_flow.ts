/** What one loss sent along the edges of a cell, step by step: pure functions of a `CellFlow`. */

import type { CellFlow, Edge } from "../protocol/chunks";
import { indexOf, stepsOf } from "../protocol/lags";
import { type Focus, focusedLoss } from "./focus";
import { sizeExtent } from "./log_axis";

/** A loss, and the step at which it is looked at. */
export interface Spot {
  loss: number;
  step: number;
}

/** The steps that one loss reaches, and what it sent there. */
export interface LossFlow {
  loss: number;
  /** Steps from the first up to but not with the end. */
  first: number;
  end: number;
  /** The largest and the smallest size that is neither zero nor infinite, of all edges and steps; null: there is none. */
  extent: [least: number, most: number] | null;
  /** Sizes of an edge, from the first step on; none if there is no edge of that name. */
  sizes(edge: string): Float64Array;
}

/** The size of what the loss of `spot` sent along an edge at its step. */
export const sizeAt = ({ sizes }: Edge, { loss, step }: Spot, flow: CellFlow) =>
  sizes[indexOf(step, loss - step, flow)];

export function lossFlow(loss: number, flow: CellFlow): LossFlow {
  const { first, end } = stepsOf(loss, flow.steps, flow);
  const found = new Map(
    flow.edges.map((edge) => [
      edge.name,
      Float64Array.from({ length: end - first }, (_, index) => sizeAt(edge, { loss, step: first + index }, flow)),
    ]),
  );
  const all = [...found.values()].flatMap((sizes) => [...sizes]);
  return { loss, first, end, extent: sizeExtent(all), sizes: (edge) => found.get(edge) ?? new Float64Array() };
}

/** From 0 for what is too small to tell, or nothing, to 1 for the largest. */
export function strength(size: number, largest: number, decades: number): number {
  if (!(size > 0)) return 0;
  return Math.max(0, Math.min(1, 1 + Math.log10(size / largest) / decades));
}

/** Keeps a step among those that the loss reaches. */
export function within(step: number, loss: number, flow: CellFlow): number {
  const { first, end } = stepsOf(loss, flow.steps, flow);
  return Math.max(first, Math.min(end - 1, step));
}

/**
 * Where to look: what is pointed at; else the pinned loss, else the one that panel 4 opens with. A step that was walked to, or pointed at,
 * is kept as long as the loss is; else it is the loss's own.
 */
export function spotOf(focus: Focus, kept: Spot | null, opening: number, flow: CellFlow): Spot {
  const { target } = focus;
  const loss = focusedLoss(focus) ?? opening;
  const at = target?.kind === "part" && target.lag !== null ? target.step : kept?.loss === loss ? kept.step : loss;
  return { loss, step: within(at, loss, flow) };
}
