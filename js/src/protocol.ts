/** Decodes chunks: what is recorded as columns of bytes (see "Chunks" in docs/architecture.md). */

import type { Bytes, Measure, Stream } from "./contract";

type Ints = Int32Array<ArrayBuffer>;
type Floats = Float32Array<ArrayBuffer>;
type Column = Floats | Ints;

export interface Items {
  /** Piece that step j received from the loss d steps later, at `j * lags + d`. */
  pieces: Floats;
  /** Size of the sum of all pieces of each step. */
  total: Floats;
  /** Size of the sum of the pieces of each step that lie past the recorded lags. */
  beyond: Floats;
}

/** The details of one batch: what panels 2, 3 and 4 draw. */
export interface Snapshot {
  batch: number;
  stream: Stream;
  /** Share of streams that were right at each step, in the average over streams; it has no labels. Else null. */
  accuracy: Floats | null;
  /** Where in the training data the targets of a stream begin; null if the overview says so. */
  start: number | null;
  /** The state before the first step was zero, so that step's items are exactly zero. */
  zeroState: boolean;
  steps: number;
  lags: number;
  loss: Floats;
  target: Ints;
  prediction: Ints;
  probability: Floats;
  items(measure: Measure): Items;
}

/** A few numbers of each of some batches, one after the other. */
export interface OverviewChunk {
  kind: "overview";
  count: number;
  batch: Ints;
  /** Positions in the training data that the targets cover, from the first up to but not with the second. */
  start: Ints;
  stop: Ints;
  flags: Ints;
  gradNorm: Floats;
  updateNorm: Floats;
  horizonLength: Floats;
  /** Mean loss per step. */
  loss: Floats;
  accuracy: Floats;
  /** Height of each batch's tallest bar. */
  max(measure: Measure): Floats;
  /** Mean height of each batch's bars. */
  mean(measure: Measure): Floats;
}

/** The details of some batches that have the same number of steps and lags. */
export interface DetailsChunk {
  kind: "details";
  count: number;
  steps: number;
  lags: number;
  stream: Stream;
  batch: Ints;
  nbytes: number;
  /** Views on the chunk's own bytes: nothing is copied. */
  snapshot(row: number): Snapshot;
}

export type Chunk = OverviewChunk | DetailsChunk;

export const DIVERGED = 1;
const ZERO_STATE = 2;
export const CLIPPED = 4;

interface Header {
  version: number;
  kind: Chunk["kind"];
  count: number;
  /** Of details. */
  steps: number;
  lags: number;
  stream: Stream;
  columns: [name: string, type: "f4" | "i4", shape: number[]][];
}

/** Bytes at an offset that 4-byte elements may start at; copied only if the host delivered them misaligned. */
function alignedBytes(source: Bytes): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
  const bytes = new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
  return source.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** A view that starts its own buffer: notebooks are saved from `view.buffer`, whatever the view's offset. */
export function ownView(source: Bytes): DataView {
  if (!ArrayBuffer.isView(source)) return new DataView(source);
  if (source.byteOffset === 0 && source.byteLength === source.buffer.byteLength) {
    return source instanceof DataView ? source : new DataView(source.buffer);
  }
  const start = source.byteOffset;
  return new DataView(source.buffer.slice(start, start + source.byteLength));
}

function readHeader(bytes: Uint8Array): { header: Header; end: number } {
  if (bytes.byteLength < 4) throw new Error(`chunk of ${bytes.byteLength} bytes has no header`);
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (end > bytes.byteLength || end % 4 !== 0) {
    throw new Error(`chunk header ends at byte ${end} of ${bytes.byteLength}`);
  }
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))) as Header;
  if (header.version !== 2) throw new Error(`chunk version ${header.version}: this front end reads version 2`);
  return { header, end };
}

function readColumns(bytes: Uint8Array<ArrayBuffer>, header: Header, end: number): Map<string, Column> {
  const columns = new Map<string, Column>();
  let offset = end;
  for (const [name, type, shape] of header.columns) {
    const length = shape.reduce((product, size) => product * size, 1);
    if (offset + 4 * length > bytes.byteLength) {
      throw new Error(`chunk ends at byte ${bytes.byteLength}, inside column ${name}`);
    }
    const TypedArray = type === "f4" ? Float32Array : Int32Array;
    columns.set(name, new TypedArray(bytes.buffer, bytes.byteOffset + offset, length));
    offset += 4 * length;
  }
  if (offset !== bytes.byteLength) throw new Error(`chunk has ${bytes.byteLength - offset} bytes after its columns`);
  return columns;
}

/** The W_hh surface: its column names carry the measure, but for the norm. */
const surface = (measure: Measure) => (measure === "norm" ? "W_hh" : `W_hh:${measure}`);

export function decodeChunk(source: Bytes): Chunk {
  const bytes = alignedBytes(source);
  const { header, end } = readHeader(bytes);
  const columns = readColumns(bytes, header, end);
  const { kind, count } = header;

  function column<T extends Column>(name: string, width = 1): T {
    const found = columns.get(name);
    if (!found) throw new Error(`chunk has no column ${name}`);
    if (found.length !== count * width) throw new Error(`column ${name} has ${found.length} values`);
    return found as T;
  }

  switch (kind) {
    case "overview":
      return {
        kind,
        count,
        batch: column<Ints>("batch"),
        start: column<Ints>("start"),
        stop: column<Ints>("stop"),
        flags: column<Ints>("flags"),
        gradNorm: column<Floats>("grad_norm"),
        updateNorm: column<Floats>("update_norm"),
        horizonLength: column<Floats>("horizon_length"),
        loss: column<Floats>("loss"),
        accuracy: column<Floats>("accuracy"),
        max: (measure) => column<Floats>(`max:${surface(measure)}`),
        mean: (measure) => column<Floats>(`mean:${surface(measure)}`),
      };
    case "details":
      return {
        kind,
        count,
        steps: header.steps,
        lags: header.lags,
        stream: header.stream,
        batch: column<Ints>("batch"),
        nbytes: bytes.byteLength,
        snapshot: (row) => readSnapshot(header, row, column, columns),
      };
    default:
      throw new Error(`chunk of kind ${kind satisfies never}: this front end reads overview and details`);
  }
}

function readSnapshot(
  { steps, lags, stream }: Header,
  index: number,
  column: <T extends Column>(name: string, width?: number) => T,
  columns: ReadonlyMap<string, Column>,
): Snapshot {
  const row = <T extends Column>(name: string, width: number) =>
    column<T>(name, width).subarray(index * width, (index + 1) * width) as T;
  return {
    batch: column<Ints>("batch")[index],
    stream,
    accuracy: columns.has("accuracy") ? row("accuracy", steps) : null,
    start: columns.has("start") ? column<Ints>("start")[index] : null,
    zeroState: (column<Ints>("flags")[index] & ZERO_STATE) !== 0,
    steps,
    lags,
    loss: row("loss", steps),
    target: row("target", steps),
    prediction: row("prediction", steps),
    probability: row("probability", steps),
    items: (measure) => ({
      pieces: row(`items:${surface(measure)}`, steps * lags),
      total: row(`total:${surface(measure)}`, steps),
      beyond: row(`beyond:${surface(measure)}`, steps),
    }),
  };
}
