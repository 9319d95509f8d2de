/** The network that the mock kernel pretends to train: its tracks, and the surfaces that it has. */

import type { Base, Direction, SurfaceInfo } from "../src/protocol/contract";
import { isRecorded, nameOf, parseSurface } from "../src/state/surfaces";

export interface Network {
  cell: string;
  layers: number;
  bidirectional: boolean;
  /** Hidden units of a layer in one direction. */
  hidden: number;
}

const GATES: Record<string, string[]> = { lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"] };
export const gatesOf = ({ cell }: Network) => GATES[cell] ?? [];

export function primaryOf({ layers, bidirectional }: Network): string {
  const direction = bidirectional ? "both" : "forward";
  return nameOf({ base: "W_hh", layer: layers - 1, direction, selector: null });
}

/** `chosen` is recorded too. */
export function surfacesOf(network: Network, chosen: string): SurfaceInfo[] {
  const { cell, layers, bidirectional } = network;
  const bases: Base[] = cell === "lstm" ? ["W_hh", "W_ih", "h", "c", "jacobian"] : ["W_hh", "W_ih", "h", "jacobian"];
  const directions: Direction[] = bidirectional ? ["forward", "reverse", "both"] : ["forward"];
  return bases.flatMap((base) =>
    Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
      directions
        .filter((direction) => base !== "jacobian" || direction !== "both")
        .map((direction) => {
          const name = nameOf({ base, layer, direction, selector: null });
          const track = base === "W_hh" && direction !== "both";
          return { name, base, layer, direction, recorded: track || name === primaryOf(network) || name === chosen };
        }),
    ),
  );
}

/** Names of what comes with every recorded batch, the primary first. */
export function recordedOf(network: Network, chosen: string): string[] {
  const recorded = surfacesOf(network, chosen).filter((surface) => surface.recorded);
  const names = [primaryOf(network), ...recorded.map(({ name }) => name)];
  const info = { surfaces: surfacesOf(network, chosen), primary: primaryOf(network) };
  return [...new Set(names)].filter((name) => isRecorded(name, info));
}

/** From which sides losses reach a step of a surface's track. */
export function sidesOf(name: string, { layers, bidirectional }: Network): { earlier: boolean; later: boolean } {
  const { base, layer, direction } = parseSurface(name);
  const alone = layer === layers - 1 || base === "jacobian";
  if (!bidirectional) return { earlier: false, later: true };
  if (direction === "both" || !alone) return { earlier: true, later: true };
  return { earlier: direction === "reverse", later: direction === "forward" };
}
