/** What can be chosen of the surfaces that a network has, and which one a choice leads to. */

import { BASES, type Base, type Direction, type Info } from "../protocol/contract";
import { nameOf, parseSurface, type Surface } from "./surfaces";

export interface SurfaceOptions {
  bases: Base[];
  /** From 0, next to the input. */
  layers: number[];
  directions: Direction[];
  /** Empty if the surface has no rows of gates. */
  gates: string[];
  /** How many hidden units can be chosen among; 0: none. */
  units: number;
}

const DIRECTIONS: Direction[] = ["forward", "reverse", "both"];

/** The choices that lie around a surface. */
export function optionsOf(name: string, { surfaces, gates, units }: Info): SurfaceOptions {
  const { base } = parseSurface(name);
  const ofBase = surfaces.filter((surface) => surface.base === base);
  const weights = base === "W_hh" || base === "W_ih";
  return {
    bases: BASES.filter((each) => surfaces.some((surface) => surface.base === each)),
    layers: [...new Set(ofBase.map(({ layer }) => layer))].sort((a, b) => a - b),
    directions: DIRECTIONS.filter((each) => ofBase.some(({ direction }) => direction === each)),
    gates: weights ? gates : [],
    units: base === "jacobian" ? 0 : units,
  };
}

/** The surface with something changed; what the network does not have then gives way to what it has. */
export function changed(name: string, change: Partial<Surface>, info: Info): string {
  const wanted = { ...parseSurface(name), ...change };
  const { layers, directions, gates, units } = optionsOf(nameOf({ ...wanted, selector: null }), info);
  const { selector } = wanted;
  const unit = selector !== null && /^\d+$/.test(selector) && Number(selector) < units;
  return nameOf({
    base: wanted.base,
    layer: layers.includes(wanted.layer) ? wanted.layer : (layers.at(-1) ?? 0),
    direction: directions.includes(wanted.direction) ? wanted.direction : (directions[0] ?? "forward"),
    selector: unit || (selector !== null && gates.includes(selector)) ? selector : null,
  });
}

/** The number of a hidden unit that a person typed; null: all of them; undefined: it means none. */
export function unitTyped(typed: string, units: number): string | null | undefined {
  const text = typed.trim().toLowerCase();
  if (text === "" || text === "all") return null;
  const unit = Number(text);
  return Number.isInteger(unit) && unit >= 0 && unit < units ? String(unit) : undefined;
}
