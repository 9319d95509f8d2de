/** Decodes chunks: what is recorded as columns of bytes (see "Chunks" in docs/architecture.md). */

import { type Header, requireHeader, requireShapes } from "./chunk_header";
import type { Bytes, Measure, Part, Stream } from "./contract";
import type { Lags } from "./lags";

type Ints = Int32Array<ArrayBuffer>;
type Floats = Float32Array<ArrayBuffer>;
type Column = Floats | Ints;

/** A surface of one batch, in one measure. */
export interface Items extends Lags {
  /** At `indexOf(step, lag)`: the piece that a step received from the loss `lag` steps later. */
  pieces: Floats;
  /** Size of the sum of all pieces of each step; null if they do not add up to anything. */
  total: Floats | null;
  /** Size of the sum of the pieces of each step that lie past the recorded lags; null as above. */
  beyond: Floats | null;
  /** What no piece can exceed, by lag, from the first on; null if nothing is known. */
  bound: Floats | null;
}

/** The details of one batch: what panels 2, 3 and 4 draw. */
export interface Snapshot {
  batch: number;
  stream: Stream;
  part: Part;
  /** It is the average over streams: there are no labels and no values. */
  average: boolean;
  /** Share of streams that were right at each step, in the average over streams if targets are classes; else null. */
  accuracy: Floats | null;
  /** Where in the training data the targets of a stream begin; null if the overview says so. */
  start: number | null;
  /** The state before the first step was zero, so that step's items are exactly zero. */
  zeroState: boolean;
  steps: number;
  /** 0 where there is no loss. */
  loss: Floats;
  /** Share of streams that have a loss at each step, or 0 and 1 of one stream; null if all have. */
  counted: Floats | null;
  /** Classes; −1 in an average, where there is no loss, and if targets are values. */
  target: Ints;
  prediction: Ints;
  /** Of the target; null if targets are values. */
  probability: Floats | null;
  /** True and predicted vectors of `size` entries, if targets are values; null in an average. */
  values: { target: Floats; prediction: Floats; size: number } | null;
  /** Tokens, or vectors of `size` entries, that went in, if that is to be shown. */
  inputs: Ints | null;
  inputValues: { values: Floats; size: number } | null;
  /** Names of the surfaces that are here. */
  surfaces: readonly string[];
  has(surface: string, measure: Measure): boolean;
  /**
   * Throws if the surface is not here, or not in that measure. The same object every time, so that what is worked out
   * from it can be kept by it.
   */
  items(surface: string, measure: Measure): Items;
}

/** The hidden units of one batch: numbers of each of H units, or of each of its bars or lags. */
export interface Units extends Lags {
  batch: number;
  stream: Stream;
  /** The `W_hh` whose rows these are. */
  surface: string;
  units: number;
  steps: number;
  /** Norm of the unit's rows of the whole gradient. */
  size: Floats;
  /** Signed share of the whole gradient: these sum to 1. */
  share: Floats;
  /** Its horizon length, in steps. */
  reach: Floats;
  /** Cosine between what its rows got from each loss, mean over losses, and their sum. */
  agreement: Floats;
  /** Bar heights, at `unit * steps + step`. */
  bars: Floats;
  /** Mean over steps of its pieces, at `unit * lags + lag - firstLag`. */
  profile: Floats;
}

/** The gradient that flows along the edges of a cell in one batch. */
export interface CellFlow extends Lags {
  batch: number;
  stream: Stream;
  /** PyTorch's suffix of the track. */
  suffix: string;
  steps: number;
  /** From the output to the inputs. */
  edges: readonly Edge[];
  /** Name of the cell; null: a person's own, of which only the edges are known. */
  cell: string | null;
}

export interface Edge {
  name: string;
  from: string;
  to: string;
  /** At `indexOf(step, lag)`: norm of the gradient of the loss `lag` steps later with respect to what flows here. */
  sizes: Floats;
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
  /** Everything that there is one number of for each batch, by the name of the column. */
  columns: ReadonlyMap<string, Floats>;
}

/** One part of some batches that are alike in shape. */
interface PartChunk<Kind extends string, Content> {
  kind: Kind;
  count: number;
  stream: Stream;
  part: Part;
  batch: Ints;
  nbytes: number;
  /** Views on the chunk's own bytes: nothing is copied. */
  read(row: number): Content;
}

export type DetailsChunk = PartChunk<"details", Snapshot>;
export type UnitsChunk = PartChunk<"units", Units>;
export type CellChunk = PartChunk<"cell", CellFlow>;
/** What can be asked for, of one batch at a time or of several. */
export type HeldChunk = DetailsChunk | UnitsChunk | CellChunk;
export type Chunk = OverviewChunk | HeldChunk;

export const DIVERGED = 1;
const ZERO_STATE = 2;
export const CLIPPED = 4;

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
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end)));
  requireHeader(header);
  return { header, end };
}

function readColumns(bytes: Uint8Array<ArrayBuffer>, header: Header, end: number): Map<string, Column> {
  const columns = new Map<string, Column>();
  let offset = end;
  for (const [name, type, shape] of header.columns) {
    const length = shape.reduce((product, size) => product * size, 1);
    if (!(offset + 4 * length <= bytes.byteLength)) {
      throw new Error(`chunk ends at byte ${bytes.byteLength}, inside column ${name}`);
    }
    const TypedArray = type === "f4" ? Float32Array : Int32Array;
    columns.set(name, new TypedArray(bytes.buffer, bytes.byteOffset + offset, length));
    offset += 4 * length;
  }
  if (offset !== bytes.byteLength) throw new Error(`chunk has ${bytes.byteLength - offset} bytes after its columns`);
  return columns;
}

/** What the columns of a surface are named after: its name carries the measure, but for the norm. */
const keyOf = (surface: string, measure: Measure) => (measure === "norm" ? surface : `${surface}:${measure}`);

/** Names of the columns of an overview that hold the tallest and the mean bar of a surface. */
export const maxColumn = (surface: string, measure: Measure) => `max:${keyOf(surface, measure)}`;
export const meanColumn = (surface: string, measure: Measure) => `mean:${keyOf(surface, measure)}`;

const ITEMS = "items:";
const UNITS = "units:";
const CELL = "cell:";

export const unitsOf = (surface: string) => `${UNITS}${surface}`;
export const cellOf = (suffix: string) => `${CELL}${suffix}`;

export function decodeChunk(source: Bytes): Chunk {
  const bytes = alignedBytes(source);
  const { header, end } = readHeader(bytes);
  const columns = readColumns(bytes, header, end);
  const { kind, count } = header;
  requireShapes(header);

  function integers(name: string): Ints {
    const found = columns.get(name);
    if (!found) throw new Error(`chunk has no column ${name}`);
    return found as Ints;
  }

  function held<Kind extends string, Content>(kind: Kind, read: (row: Row) => Content): PartChunk<Kind, Content> {
    const { stream, part = null } = header;
    const rowAt = (index: number) => createRow(header, columns, index);
    return {
      kind,
      count,
      stream,
      part,
      batch: integers("batch"),
      nbytes: bytes.byteLength,
      read: (row) => read(rowAt(row)),
    };
  }

  switch (kind) {
    case "overview":
      requireAscending(integers("batch"));
      return {
        kind,
        count,
        batch: integers("batch"),
        start: integers("start"),
        stop: integers("stop"),
        flags: integers("flags"),
        columns: new Map(
          [...columns].filter((column): column is [string, Floats] => column[1] instanceof Float32Array),
        ),
      };
    case "details":
      return held(kind, readSnapshot);
    case "units":
      return held(kind, readUnits);
    case "cell":
      return held(kind, readCell);
    default:
      throw new Error(`chunk of kind ${kind satisfies never}`);
  }
}

/** Batches are looked up by halving. */
function requireAscending(batches: Ints) {
  if (batches.some((batch, row) => batch < 0 || (row > 0 && batch <= batches[row - 1]))) {
    throw new Error("chunk has batches that do not ascend");
  }
}

/** One batch of a chunk. */
interface Row {
  header: Header;
  part: Part;
  batch: number;
  has(name: string): boolean;
  /** The batch's values of a column. */
  values<T extends Column>(name: string): T;
  /** Length of one axis of a column, the last one being −1. */
  size(name: string, axis: number): number;
}

function createRow(header: Header, columns: ReadonlyMap<string, Column>, index: number): Row {
  const { count, part = null } = header;

  function values<T extends Column>(name: string): T {
    const found = columns.get(name);
    if (!found) throw new Error(`chunk has no column ${name}`);
    const width = found.length / count;
    return found.subarray(index * width, (index + 1) * width) as T;
  }

  return {
    header,
    part,
    batch: values<Ints>("batch")[0],
    has: (name) => columns.has(name),
    values,
    size: (name, axis) => header.columns.find(([listed]) => listed === name)?.[2].at(axis) ?? 0,
  };
}

function readSnapshot(row: Row): Snapshot {
  const { header, values, has } = row;
  const optional = (name: string) => (has(name) ? values<Floats>(name) : null);
  const none = new Int32Array(header.steps).fill(-1);
  const read = new Map<string, Items>();
  const surfaces = header.columns.flatMap(([name]) =>
    name.startsWith(ITEMS) && !name.includes(":", ITEMS.length) ? [name.slice(ITEMS.length)] : [],
  );
  return {
    batch: row.batch,
    stream: header.stream,
    part: row.part,
    average: has("accuracy") || !(has("target") || has("target_value")),
    accuracy: optional("accuracy"),
    start: has("start") ? values<Ints>("start")[0] : null,
    zeroState: (values<Ints>("flags")[0] & ZERO_STATE) !== 0,
    steps: header.steps,
    loss: values("loss"),
    counted: optional("counted"),
    target: has("target") ? values("target") : none,
    prediction: has("prediction") ? values("prediction") : none,
    probability: optional("probability"),
    values: has("target_value")
      ? {
          target: values("target_value"),
          prediction: values("prediction_value"),
          size: row.size("target_value", -1),
        }
      : null,
    inputs: has("input") ? values("input") : null,
    inputValues: has("input_value") ? { values: values("input_value"), size: row.size("input_value", -1) } : null,
    surfaces,
    has: (surface, measure) => has(`${ITEMS}${keyOf(surface, measure)}`),
    items(surface, measure) {
      const key = keyOf(surface, measure);
      const made = read.get(key) ?? {
        firstLag: firstLagOf(header, surface),
        lags: row.size(`${ITEMS}${key}`, -1),
        pieces: values(`${ITEMS}${key}`),
        total: optional(`total:${key}`),
        beyond: optional(`beyond:${key}`),
        bound: optional(`bound:${key}`),
      };
      read.set(key, made);
      return made;
    },
  };
}

const firstLagOf = ({ first_lags = {} }: Header, surface: string) =>
  Object.hasOwn(first_lags, surface) ? first_lags[surface] : 0;

function readUnits(row: Row): Units {
  const { header, values } = row;
  const surface = row.part?.slice(UNITS.length) ?? "";
  return {
    batch: row.batch,
    stream: header.stream,
    surface,
    units: row.size("size", -1),
    steps: header.steps,
    firstLag: firstLagOf(header, surface),
    lags: row.size("profile", -1),
    size: values("size"),
    share: values("share"),
    reach: values("reach"),
    agreement: values("agreement"),
    bars: values("bars"),
    profile: values("profile"),
  };
}

function readCell(row: Row): CellFlow {
  const { header, values } = row;
  const edges = header.edges ?? [];
  return {
    batch: row.batch,
    stream: header.stream,
    suffix: row.part?.slice(CELL.length) ?? "",
    steps: header.steps,
    cell: header.cell ?? null,
    firstLag: header.first_lag ?? 0,
    lags: edges.length > 0 ? row.size(`edge:${edges[0][0]}`, -1) : 0,
    edges: edges.map(([name, from, to]) => ({ name, from, to, sizes: values(`edge:${name}`) })),
  };
}
