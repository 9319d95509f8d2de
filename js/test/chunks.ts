/** Chunks of three steps and two lags whose values are easy to tell apart. */

import { type ColumnData, encodeChunk } from "../dev/chunks";
import { type DetailsChunk, decodeChunk, type OverviewChunk } from "../src/protocol/chunks";
import type { Bytes, Part, Stream } from "../src/protocol/contract";
import type { Place } from "../src/state/details";

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
