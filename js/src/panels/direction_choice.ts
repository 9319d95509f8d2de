/** Which direction of a bidirectional layer a panel shows that can show one only. */

import { createSegments } from "../controls/segments";
import type { Info } from "../protocol/contract";
import { parseSurface, suffixOf } from "../state/surfaces";

export interface DirectionChoice {
  node: HTMLElement;
  /** PyTorch's suffix of the track, and whether it reads forward. The layer is that of the surface. */
  trackOf(surface: string, info: Info): { suffix: string; way: 1 | -1 };
}

export function createDirectionChoice(label: string, onChange: () => void): DirectionChoice {
  const segments = createSegments<"forward" | "reverse">(
    label,
    [
      { value: "forward", text: "forward", title: "The direction that reads from the first step" },
      { value: "reverse", text: "reverse", title: "The direction that reads from the last step" },
    ],
    (value) => {
      chosen = { surface: latest, direction: value };
      onChange();
    },
  );
  let latest = "";
  /** Counts until another surface is chosen. */
  let chosen: { surface: string; direction: "forward" | "reverse" } | null = null;

  return {
    node: segments.node,
    trackOf(surface, info) {
      latest = surface;
      const { layer, direction } = parseSurface(surface);
      const own = direction === "reverse" ? "reverse" : "forward";
      const shown = chosen?.surface === surface ? chosen.direction : own;
      segments.node.hidden = !info.bidirectional;
      segments.set(shown);
      return { suffix: suffixOf({ layer, direction: shown }), way: shown === "forward" ? 1 : -1 };
    },
  };
}
