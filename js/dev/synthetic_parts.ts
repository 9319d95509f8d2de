/** What the mock kernel answers of hidden units, and of the flow in a cell. */

import { unitsOf } from "../src/protocol/chunks";
import type { Stream } from "../src/protocol/contract";
import { parseSurface } from "../src/state/surfaces";
import { encodeChunk } from "./chunks";
import { sidesOf } from "./network";
import { createRandom, type Settings } from "./synthetic";

/** Edges by cell, from the output to the inputs: name, from, to, and what part of the gradient they carry. */
const EDGES: Record<string, [name: string, from: string, to: string, part: number][]> = {
  tanh: [
    ["h", "h", "tanh", 1],
    ["later_h", "h_next", "h", 0.8],
    ["loss", "loss", "h", 0.6],
    ["a", "tanh", "a", 0.7],
    ["h_before", "a", "h_prev", 0.6],
    ["x", "a", "x", 0.4],
  ],
  gru: [
    ["h", "h", "mix", 1],
    ["later_h", "h_next", "h", 0.5],
    ["later_direct", "h_next", "h", 0.7],
    ["loss", "loss", "h", 0.6],
    ["r", "reset", "r", 0.1],
    ["z", "mix", "z", 0.2],
    ["n", "mix", "n", 0.4],
    ["reset_product", "n", "reset", 0.25],
    ["direct", "mix", "h_prev", 0.7],
    ["h_before", "gates", "h_prev", 0.5],
    ["x", "gates", "x", 0.4],
  ],
  lstm: [
    ["h", "h", "output", 1],
    ["later_h", "h_next", "h", 0.5],
    ["loss", "loss", "h", 0.6],
    ["o", "output", "o", 0.2],
    ["tanh_c", "output", "c", 0.5],
    ["later_c", "c_next", "c", 0.9],
    ["c", "c", "cell", 1.2],
    ["f", "cell", "f", 0.15],
    ["i", "cell", "i", 0.2],
    ["g", "cell", "g", 0.3],
    ["c_before", "cell", "c_prev", 0.9],
    ["h_before", "gates", "h_prev", 0.4],
    ["x", "gates", "x", 0.4],
  ],
};

function lagsFor(track: string, settings: Settings) {
  const { earlier, later } = sidesOf(track, settings);
  const firstLag = earlier ? 1 - settings.lags : 0;
  return { firstLag, lags: (later ? settings.lags : 1) - firstLag };
}

export function syntheticUnits(batch: number, settings: Settings, stream: Stream, surface: string): ArrayBuffer {
  const { steps, hidden } = settings;
  const random = createRandom(batch * 31 + 7);
  const { firstLag, lags } = lagsFor(surface, settings);
  const each = (value: () => number) => Float32Array.from({ length: hidden }, value);
  const size = each(() => 0.3 * random() ** 4);
  const signed = each(() => random() ** 3 * (random() < 0.15 ? -1 : 1));
  const sum = signed.reduce((total, value) => total + value, 0);
  const decay = each(() => 0.3 + 0.65 * random());
  const bars = Float32Array.from({ length: hidden * steps }, (_, at) => size[Math.floor(at / steps)] * random());
  const profile = Float32Array.from(
    { length: hidden * lags },
    (_, at) => size[Math.floor(at / lags)] * decay[Math.floor(at / lags)] ** Math.abs((at % lags) + firstLag),
  );
  return encodeChunk({
    kind: "units",
    count: 1,
    steps,
    stream,
    part: unitsOf(surface),
    first_lags: { [surface]: firstLag },
    columns: [
      ["batch", "i4", [1], [batch]],
      ["size", "f4", [1, hidden], size],
      ["share", "f4", [1, hidden], signed.map((value) => value / sum)],
      ["reach", "f4", [1, hidden], decay.map((value) => Math.min(lags, Math.round(Math.log(0.01) / Math.log(value))))],
      ["agreement", "f4", [1, hidden], each(() => 2 * random() - 0.7)],
      ["bars", "f4", [1, hidden, steps], bars],
      ["profile", "f4", [1, hidden, lags], profile],
    ],
  });
}

export function syntheticCell(batch: number, settings: Settings, stream: Stream, part: string): ArrayBuffer {
  const { steps, cell } = settings;
  const suffix = part.slice("cell:".length);
  const { firstLag, lags } = lagsFor(`W_hh${suffix}`, settings);
  const edges = EDGES[cell] ?? EDGES.tanh;
  const random = createRandom(batch * 17 + 3);
  const sent = Float32Array.from({ length: steps }, () => 0.01 + 0.05 * random());
  const sizes = (name: string, carried: number) =>
    Float32Array.from({ length: steps * lags }, (_, at) => {
      const [step, lag] = [Math.floor(at / lags), (at % lags) + firstLag];
      const loss = step + lag;
      const reaches = loss >= 0 && loss < steps && (name === "loss" ? lag === 0 : true);
      return reaches ? sent[loss] * carried * (name.includes("c") ? 0.95 : 0.7) ** Math.abs(lag) : 0;
    });
  return encodeChunk({
    kind: "cell",
    count: 1,
    steps,
    stream,
    part,
    first_lag: firstLag,
    cell,
    edges: edges.map(([name, from, to]) => [name, from, to] as const),
    columns: [
      ["batch", "i4", [1], [batch]],
      ...edges.map(([name, , , carried]) => [`edge:${name}`, "f4", [1, steps, lags], sizes(name, carried)] as const),
    ],
  });
}

/** The mock kernel has a track of every name that a real one would have. */
export const hasTrack = (suffix: string, { layers, bidirectional }: Settings) => {
  const { layer, direction } = parseSurface(`W_hh${suffix}`);
  return layer < layers && (direction === "forward" || bidirectional);
};
