/** What is shown of a minibatch, in words. All of them are empty if there is one stream. */

import type { Snapshot } from "../protocol/chunks";
import type { Info, Measure, Stream } from "../protocol/contract";
import { wholeName } from "./surface_text";

/** "average over 4 streams" or "stream 2 of 4"; people count from 1. */
export function streamName(stream: Stream, { batch_size }: Info): string {
  if (batch_size === 1) return "";
  return stream === null ? `average over ${batch_size} streams` : `stream ${stream + 1} of ${batch_size}`;
}

/** Shares are recorded in single precision, counts are whole. */
export const countRight = (accuracy: Snapshot["accuracy"], step: number, { batch_size }: Info) =>
  Math.round((accuracy?.[step] ?? 0) * batch_size);

/** How panel 3 is to be read if there are several streams; only bars have marks. */
export function explainStreams(
  { stream, average }: Snapshot,
  surface: string,
  measure: Measure,
  bars: boolean,
  info: Info,
): string {
  if (average) {
    if (!bars) return "Cells are means over streams.";
    return measure === "share"
      ? `Parts and marks are means over streams: all marks add up to ${wholeName(surface)}.`
      : "Parts are means over streams; the mark is the size of the mean of their sums: far below the top, steps and streams cancel.";
  }
  if (stream === null || measure !== "share") return "";
  return `Of the gradient of all ${info.batch_size} streams together: the mean of their shares adds up to ${wholeName(surface)}.`;
}
