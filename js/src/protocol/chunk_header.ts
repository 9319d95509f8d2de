/** What the header of a chunk says, checked before anything is read: what a chunk says of itself may be damaged. */

import type { Part, Stream } from "./contract";
import { isObject } from "./kernel_message";

export const KINDS = ["overview", "details", "units", "cell"] as const;

export interface Header {
  version: number;
  kind: (typeof KINDS)[number];
  count: number;
  /** Of anything but an overview. */
  steps: number;
  stream: Stream;
  part?: Part;
  /** Of details: the lags that surfaces begin with, where that is not 0. */
  first_lags?: Record<string, number>;
  /** Of a cell. */
  first_lag?: number;
  /** Of the flow in a cell: which of ours it is. */
  cell?: string | null;
  edges?: [name: string, from: string, to: string][];
  columns: ColumnHeader[];
}
type ColumnHeader = [name: string, type: "f4" | "i4", shape: number[]];

/** The type of a column, and its axes after the first, which is the batches: `n` is the steps, `k` and others are free. */
type Form = [type: "f4" | "i4", axes: string];

const INTEGERS: Form = ["i4", ""];
const BY_STEP: Form = ["f4", "n"];
const BY_UNIT: Form = ["f4", "h"];
const FORMS: Record<Header["kind"], ReadonlyMap<string, Form>> = {
  overview: new Map([
    ["batch", INTEGERS],
    ["start", INTEGERS],
    ["stop", INTEGERS],
    ["flags", INTEGERS],
  ]),
  details: new Map([
    ["batch", INTEGERS],
    ["flags", INTEGERS],
    ["loss", BY_STEP],
    ["start", INTEGERS],
    ["counted", BY_STEP],
    ["probability", BY_STEP],
    ["accuracy", BY_STEP],
    ["target", ["i4", "n"]],
    ["prediction", ["i4", "n"]],
    ["input", ["i4", "n"]],
    ["target_value", ["f4", "no"]],
    ["prediction_value", ["f4", "no"]],
    ["input_value", ["f4", "nv"]],
    ["items", ["f4", "nk"]],
    ["total", BY_STEP],
    ["beyond", BY_STEP],
    ["bound", ["f4", "k"]],
  ]),
  units: new Map([
    ["batch", INTEGERS],
    ["size", BY_UNIT],
    ["share", BY_UNIT],
    ["reach", BY_UNIT],
    ["agreement", BY_UNIT],
    ["bars", ["f4", "hn"]],
    ["profile", ["f4", "hk"]],
  ]),
  cell: new Map([
    ["batch", INTEGERS],
    ["edge", ["f4", "nk"]],
  ]),
};
/** How many of those, from the first on, are always there. */
const NEEDED: Record<Header["kind"], number> = { overview: 4, details: 3, units: 7, cell: 1 };

const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;
const isName = (value: unknown) => typeof value === "string";

const isColumn = (value: unknown) =>
  Array.isArray(value) &&
  value.length === 3 &&
  isName(value[0]) &&
  (value[1] === "f4" || value[1] === "i4") &&
  Array.isArray(value[2]) &&
  value[2].every((size) => isWhole(size, 1));

const isEdge = (value: unknown) => Array.isArray(value) && value.length === 3 && value.every(isName);

/** Throws unless each field of a header is of its kind. */
export function requireHeader(header: unknown): asserts header is Header {
  const refuse = (field: string): never => {
    throw new Error(
      `chunk header has no such ${field}: ${String(JSON.stringify(isObject(header) ? header[field] : header)).slice(0, 80)}`,
    );
  };
  if (!isObject(header)) return refuse("fields");
  const {
    version,
    kind,
    count,
    steps,
    stream = null,
    part = null,
    first_lags = {},
    first_lag = 0,
    edges = [],
  } = header;
  if (version !== 2) throw new Error(`chunk version ${version}: this front end reads version 2`);
  if (!(KINDS as readonly unknown[]).includes(kind)) {
    throw new Error(`chunk of kind ${kind}: this front end reads ${KINDS.join(", ")}`);
  }
  if (!isWhole(count, 1)) refuse("count");
  if (!Array.isArray(header.columns) || !header.columns.every(isColumn)) refuse("columns");
  if (kind === "overview") return;
  if (!isWhole(steps, 1)) refuse("steps");
  if (stream !== null && !isWhole(stream, 0)) refuse("stream");
  if (part !== null && !isName(part)) refuse("part");
  const isLag = (lag: unknown) => Number.isSafeInteger(lag) && Math.abs(Number(lag)) < Number(steps);
  if (!isObject(first_lags) || !Object.values(first_lags).every(isLag)) refuse("first_lags");
  if (!isLag(first_lag)) refuse("first_lag");
  if (!Array.isArray(edges) || !edges.every(isEdge) || (kind === "cell" && edges.length === 0)) refuse("edges");
  if (header.cell !== undefined && header.cell !== null && !isName(header.cell)) refuse("cell");
}

/** Throws unless each column has the type and the shape that its name and the header ask for. */
export function requireShapes(header: Header) {
  const { kind, count, steps, columns, edges = [] } = header;
  const forms = FORMS[kind];
  const there = new Set(columns.map(([name]) => name));
  if (there.size < columns.length) throw new Error("chunk has a column twice");
  const needed = [...forms.keys()].slice(0, NEEDED[kind]);
  if (there.has("target_value")) needed.push("prediction_value");
  if (kind === "cell") needed.push(...edges.map(([name]) => `edge:${name}`));
  for (const name of needed) if (!there.has(name)) throw new Error(`chunk has no column ${name}`);
  /** Axes of the same length wherever they are, but for lags, which every surface has as many of as it likes. */
  const sizes = new Map([["n", steps]]);
  for (const [name, type, shape] of columns) {
    const form = forms.get(name.split(":")[0]);
    const axes = [...(form?.[1] ?? "")];
    const fits =
      shape[0] === count &&
      (!form || (type === form[0] && shape.length === 1 + axes.length)) &&
      (kind !== "overview" || shape.length === 1) &&
      axes.every((axis, place) => {
        const size = shape[place + 1];
        if (axis === "k" && kind !== "cell") return true;
        if (!sizes.has(axis)) sizes.set(axis, size);
        return sizes.get(axis) === size;
      });
    if (!fits) throw new Error(`chunk has column ${name} of ${type} in the shape ${shape.join(" × ")}`);
  }
}
