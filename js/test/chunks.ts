/** Chunks of three steps and two lags whose values are easy to tell apart, and a small network for others. */

import { type ColumnData, encodeChunk } from "../dev/chunks";
import type { Settings } from "../dev/synthetic";
import { type DetailsChunk, decodeChunk, type OverviewChunk } from "../src/protocol/chunks";
import type { Bytes, Part, Stream } from "../src/protocol/contract";
import type { Place } from "../src/state/details";
import { growingColumn } from "../src/state/growing_column";
import { createRun, type Run } from "../src/state/run";
import { createSeries, type Series } from "../src/state/series";

export const NETWORK: Settings = {
  cell: "lstm",
  layers: 1,
  bidirectional: false,
  hidden: 5,
  steps: 6,
  lags: 4,
  text: "abcdefghijklmnopqrstuvwxyz",
  labels: ["a"],
  streams: 1,
  diverged: new Set(),
  halfLife: 10,
};

const SURFACES = ["W_hh", "W_hh:mean_abs", "W_hh:share"] as const;
const STEPS = 3;
const LAGS = 2;

const counting = (length: number) => Array.from({ length }, (_, index) => index);

export function overviewChunk(batches: number[], flags = 0, max = 1): ArrayBuffer {
  const count = batches.length;
  const fill = (value: number) => Array<number>(count).fill(value);
  return encodeChunk({
    kind: "overview",
    count,
    columns: [
      ["batch", "i4", [count], batches],
      ["start", "i4", [count], batches.map((batch) => batch * STEPS)],
      ["stop", "i4", [count], batches.map((batch) => (batch + 1) * STEPS)],
      ["flags", "i4", [count], fill(flags)],
      ...["grad_norm", "update_norm", "horizon_length", "loss", "accuracy"].map(
        (name) => [name, "f4", [count], fill(1)] as const,
      ),
      ...SURFACES.flatMap((surface) => [
        [`max:${surface}`, "f4", [count], fill(max)] as const,
        [`mean:${surface}`, "f4", [count], fill(max / 2)] as const,
      ]),
    ],
  });
}

/** Details of the average over streams, or of one stream. */
export const at = (batch: number, stream: Stream = null, part: Part = null): Place => ({ batch, stream, part });

export function detailsChunk(
  batches: number[],
  flags = 0,
  stream: Stream = null,
  extra: ColumnData[] = [],
  part: Part = null,
  ofClasses = true,
): ArrayBuffer {
  const count = batches.length;
  const perStep = counting(count * STEPS);
  const perItem = counting(count * STEPS * LAGS);
  const surfaces = part === null ? SURFACES : [part];
  return encodeChunk({
    kind: "details",
    count,
    steps: STEPS,
    stream,
    part,
    columns: [
      ["batch", "i4", [count], batches],
      ["flags", "i4", [count], Array<number>(count).fill(flags)],
      ["loss", "f4", [count, STEPS], perStep.map((value) => value + 1)],
      ...(ofClasses
        ? ([
            ["target", "i4", [count, STEPS], perStep],
            ["prediction", "i4", [count, STEPS], perStep],
            ["probability", "f4", [count, STEPS], perStep.map(() => 0.5)],
          ] as const)
        : []),
      ...extra,
      ...surfaces.flatMap((surface) => {
        const sign = surface === "W_hh:share" ? -1 : 1;
        return [
          [`items:${surface}`, "f4", [count, STEPS, LAGS], perItem.map((value) => sign * value)] as const,
          [`total:${surface}`, "f4", [count, STEPS], perStep] as const,
          [`beyond:${surface}`, "f4", [count, STEPS], perStep.map((value) => value * 10)] as const,
        ];
      }),
    ],
  });
}

/** What a frame carries of some batches. */
export const bothChunks = (batches: number[]): ArrayBuffer[] => [overviewChunk(batches), detailsChunk(batches)];

/** A chunk whose header is this text, whatever it says, and what comes after it. */
export function withHeader(text: string, columns: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(text);
  const padded = Math.ceil(header.length / 4) * 4;
  const bytes = new Uint8Array(4 + padded + columns.length).fill(0x20, 4, 4 + padded);
  new DataView(bytes.buffer).setUint32(0, padded, true);
  bytes.set(header, 4);
  bytes.set(columns, 4 + padded);
  return bytes;
}

/** A chunk as it is known to be. */
export function decodeOverview(source: Bytes): OverviewChunk {
  const chunk = decodeChunk(source);
  if (chunk.kind !== "overview") throw new Error(`expected an overview, got ${chunk.kind}`);
  return chunk;
}

export function decodeDetails(source: Bytes): DetailsChunk {
  const chunk = decodeChunk(source);
  if (chunk.kind !== "details") throw new Error(`expected details, got ${chunk.kind}`);
  return chunk;
}

/** A run of which chunk after chunk has arrived. */
export function runOf(...chunks: number[][]): Run {
  const run = createRun();
  for (const batches of chunks) run.append(decodeOverview(overviewChunk(batches)));
  return run;
}

export function seriesOf(values: ArrayLike<number>): Series {
  const column = growingColumn((capacity) => new Float32Array(capacity));
  column.append(Float32Array.from(values));
  return createSeries(column);
}
