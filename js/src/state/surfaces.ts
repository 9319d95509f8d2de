/** The names of surfaces: `BASE + SUFFIX + [SELECTOR]` (see "Surfaces" in docs/architecture.md). */

import type { Snapshot } from "../protocol/chunks";
import { BASES, type Base, type Direction, type Info, type Measure, type SurfaceInfo } from "../protocol/contract";
import type { Place } from "./details";
import type { State } from "./store";

export interface Surface {
  base: Base;
  layer: number;
  direction: Direction;
  /** Name of a gate, or number of a hidden unit; null: all of it. */
  selector: string | null;
}

const NAME = new RegExp(String.raw`^(${BASES.join("|")})(?:_l(\d+))?(?:_(reverse|both))?(?:\[(\w+)\])?$`);

/** Throws if it is no name of a surface. */
export function parseSurface(name: string): Surface {
  const found = NAME.exec(name);
  if (!found) throw new Error(`${name} is not the name of a surface`);
  const [, base, layer, direction, selector] = found;
  return {
    base: base as Base,
    layer: Number(layer ?? 0),
    direction: (direction ?? "forward") as Direction,
    selector: selector ?? null,
  };
}

/** PyTorch's suffix of a track. */
export function suffixOf({ layer, direction }: Pick<Surface, "layer" | "direction">): string {
  const ofLayer = layer > 0 || direction !== "forward" ? `_l${layer}` : "";
  return direction === "forward" ? ofLayer : `${ofLayer}_${direction}`;
}

export const nameOf = (surface: Surface) =>
  surface.base + suffixOf(surface) + (surface.selector === null ? "" : `[${surface.selector}]`);

/** The surface without its selector, as the network has it; null if it has none of that name. */
export function infoOf(name: string, { surfaces }: Pick<Info, "surfaces">): SurfaceInfo | null {
  const plain = name.replace(/\[\w+\]$/, "");
  return surfaces.find((surface) => surface.name === plain) ?? null;
}

/** Whether a surface comes with every recorded batch. */
export const isRecorded = (name: string, info: Pick<Info, "surfaces" | "primary">) =>
  !name.endsWith("]") && (infoOf(name, info)?.recorded ?? name === info.primary);

/** The measure in which a surface is drawn: a Jacobian has only its norm. */
export const measureFor = (name: string, measure: Measure): Measure => (name.startsWith("jacobian") ? "norm" : measure);

/**
 * The chosen surface of a batch: from what is recorded, or as a part of its own; or what to ask the kernel for. Looks it
 * up at every draw, so that what is on screen is kept.
 */
export function findSurface(
  batch: number,
  { run, stream, surface, info }: Pick<State, "run" | "stream" | "surface" | "info">,
): { snapshot: Snapshot; missing: null } | { snapshot: null; missing: Place } {
  const recorded = run.details.get({ batch, stream, part: null });
  if (recorded?.surfaces.includes(surface)) return { snapshot: recorded, missing: null };
  const snapshot = run.details.get({ batch, stream, part: surface });
  if (snapshot) return { snapshot, missing: null };
  // A surface may have been recorded only since it was chosen: of batches before, it is worked out when asked for.
  const part = recorded || !isRecorded(surface, info) ? surface : null;
  return { snapshot: null, missing: { batch, stream, part } };
}

/**
 * The step whose pieces are exactly 0 because the state that it reads is: the first after a zero state; of a layer that
 * reads backward, always the last. Null: there is none, or the surface does not read that state.
 */
export function zeroStep(name: string, { zeroState, steps }: Pick<Snapshot, "zeroState" | "steps">): number | null {
  const { base, direction } = parseSurface(name);
  if (base !== "W_hh" || direction === "both") return null;
  if (direction === "reverse") return steps - 1;
  return zeroState ? 0 : null;
}

/** The other of an LSTM's two memories: short-term h, long-term c. Null if there is none. */
export function companionOf(name: string, { surfaces }: Pick<Info, "surfaces">): string | null {
  const surface = parseSurface(name);
  if (surface.base !== "h" && surface.base !== "c") return null;
  const other: Surface = { ...surface, base: surface.base === "h" ? "c" : "h" };
  const plain = nameOf({ ...other, selector: null });
  return surfaces.some((known) => known.name === plain) ? nameOf(other) : null;
}

/** Where the other memory of a batch is held, or what to ask the kernel for; null if there is none. */
export function findCompanion(batch: number, state: Pick<State, "run" | "stream" | "surface" | "info">) {
  const surface = companionOf(state.surface, state.info);
  return surface === null ? null : findSurface(batch, { ...state, surface });
}
