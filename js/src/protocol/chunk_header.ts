/** What the header of a chunk says, checked before anything is read: what a chunk says of itself may be damaged. */

import { type Check, isObject, list, maybe, oneOf, orNull, text, tuple, unfit, whole } from "./checks";
import type { Part, Stream } from "./contract";

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

const positive: Check = (value) => whole(value) && value !== 0;
const column = tuple(text, oneOf("f4", "i4"), list(positive));
const SIZES = { count: positive, columns: list(column) };
/** Of anything but an overview: what a batch is of. */
const PART = { steps: positive, stream: maybe(orNull(whole)), part: maybe(orNull(text)), cell: maybe(orNull(text)) };

/** Lags lie within the window. */
function lagChecks(steps: number): Record<string, Check> {
  const lag: Check = (value) => Number.isSafeInteger(value) && Math.abs(Number(value)) < steps;
  return { first_lag: maybe(lag), first_lags: maybe((lags) => isObject(lags) && Object.values(lags).every(lag)) };
}

/** Throws unless each field of a header is of its kind. */
export function requireHeader(header: unknown): asserts header is Header {
  const refuse = (field: string, value: unknown): never => {
    throw new Error(`chunk header has no such ${field}: ${String(JSON.stringify(value)).slice(0, 80)}`);
  };
  if (!isObject(header)) return refuse("fields", header);
  const { version, kind, steps } = header;
  if (version !== 2) throw new Error(`chunk version ${version}: this front end reads version 2`);
  if (!oneOf(...KINDS)(kind)) throw new Error(`chunk of kind ${kind}: this front end reads ${KINDS.join(", ")}`);
  const edges = list(tuple(text, text, text));
  const checks: Record<string, Check>[] = [SIZES];
  if (kind !== "overview") checks.push(PART, lagChecks(Number(steps)));
  if (kind === "cell") checks.push({ edges: (value) => edges(value) && (value as unknown[]).length > 0 });
  for (const some of checks) {
    const field = unfit(header, some);
    if (field !== null) refuse(field, header[field]);
  }
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
