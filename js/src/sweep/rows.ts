/** The rows of a sweep's table: their order, what is said of them, and their small plots. Pure. */

import type { SweepTable, TrialRow, TrialStatus } from "../protocol/sweep_contract";
import { counted, formatCount, formatLoss, formatTick } from "../words/format";

/** Columns that every sweep has, beside its settings. */
export const COLUMNS = ["status", "batch", "loss", "horizon"] as const;

const ORDER: readonly TrialStatus[] = ["done", "training", "waiting", "diverged", "failed", "cancelled"];

type Value = TrialRow["values"][number];

/** What a row has in a column; "" names the trial's number. */
function entryOf(row: TrialRow, column: string, columns: readonly string[]): Value {
  switch (column) {
    case "":
      return row.number;
    case "status":
      return ORDER.indexOf(row.status);
    case "batch":
    case "loss":
    case "horizon":
      return row[column];
    default:
      return row.values[columns.indexOf(column)] ?? null;
  }
}

/** Rows in order. What has no value comes last either way; what is equal stays in the order of the grid. */
export function sortedRows(table: SweepTable, column: string, descending: boolean): TrialRow[] {
  const sign = descending ? -1 : 1;
  const keyed = table.rows.map((row) => ({ row, key: entryOf(row, column, table.columns) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return Number(a.key === null) - Number(b.key === null) || a.row.number - b.row.number;
    }
    return sign * compared(a.key, b.key) || a.row.number - b.row.number;
  });
  return keyed.map(({ row }) => row);
}

function compared(a: NonNullable<Value>, b: NonNullable<Value>): number {
  if (typeof a === "string" || typeof b === "string") {
    if (typeof a !== typeof b) return typeof a === "string" ? 1 : -1;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }
  return Number(a) - Number(b);
}

/** "6 trials: 4 done, 1 training, 1 diverged" */
export function summaryOf(rows: readonly TrialRow[]): string {
  const counts = ORDER.map((status) => [status, rows.filter((row) => row.status === status).length] as const);
  const told = counts.filter(([, count]) => count > 0).map(([status, count]) => `${formatCount(count)} ${status}`);
  return `${counted(rows.length, "trial", formatCount(rows.length))}: ${told.join(", ")}`;
}

/** A setting in words. */
export function valueText(value: Value): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : formatTick(value);
  return value;
}

export const lossText = ({ loss }: TrialRow): string => (loss === null ? "–" : formatLoss(loss));

export const horizonText = ({ horizon, at_least }: TrialRow): string =>
  horizon === null ? "–" : `${at_least ? "≥ " : ""}${formatTick(horizon)}`;

/** The longest horizon of any trial, which all small plots have as their scale; at least 1. */
export const longestHorizon = (rows: readonly TrialRow[]): number =>
  Math.max(1, ...rows.flatMap(({ trend }) => trend.map(([, horizon]) => horizon)));

/** The path of a small plot: batches from 0 to `batches` across, horizons from 0 to `longest` upwards. */
export function trendPath(
  trend: TrialRow["trend"],
  batches: number,
  longest: number,
  width: number,
  height: number,
): string {
  const place = ([batch, horizon]: [number, number]) => {
    const x = (batch / Math.max(1, batches)) * width;
    const y = height - (horizon / longest) * height;
    return `${Math.round(10 * x) / 10},${Math.round(10 * y) / 10}`;
  };
  if (trend.length === 1) return `M${place(trend[0])}h0.01`;
  return trend.map((point, index) => `${index ? "L" : "M"}${place(point)}`).join("");
}

/** The small plot in words. */
export function trendText({ trend }: TrialRow): string {
  if (trend.length === 0) return "Nothing is recorded yet.";
  const [first, last] = [trend[0][1], trend[trend.length - 1][1]];
  return `Horizon over training: ${counted(first, "step", formatTick(first))} at first, ${formatTick(last)} now.`;
}

/** Takes rows that have changed into the table, in place. */
export function takeRows(table: SweepTable, rows: readonly TrialRow[]) {
  for (const row of rows) if (row.number < table.rows.length) table.rows[row.number] = row;
}
