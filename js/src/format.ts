/** Numbers as a reader expects them in print. */

import { format } from "d3-format";

const grouped = format(",d");
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const superscript = (exponent: number) =>
  (exponent < 0 ? "⁻" : "") + Array.from(String(Math.abs(exponent)), (digit) => SUPERSCRIPTS[Number(digit)]).join("");

/** 1,234,567 */
export const formatCount = (value: number) => grouped(value);

/** A number to `digits` significant digits: 0.01234, −5.678 or 1.234×10⁻⁷. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e-3 && size < 1e5) return sign + format(`,.${digits}r`)(size);
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  return `${sign}${mantissa}×10${superscript(Number(exponent))}`;
}

/** A number on an axis: as few digits as tell it. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const sign = value < 0 ? "−" : "";
  if (size >= 1e-3 && size < 1e5) return sign + format(",.4~r")(size);
  const [mantissa, exponent] = size.toExponential(3).split("e");
  const digits = String(Number(mantissa));
  return `${sign}${digits === "1" ? "" : `${digits}×`}10${superscript(Number(exponent))}`;
}

/** A part of one in %: 12.3 %, 0.45 %, < 0.01 %. */
export function formatPercent(part: number): string {
  const percent = 100 * Math.abs(part);
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  return `${format(percent < 1 ? ".2f" : percent < 99.95 ? ".1f" : ".0f")(percent)} %`;
}

/** A loss in nats, to three decimals. */
export const formatLoss = (value: number) => (Number.isFinite(value) ? format(".3f")(value) : formatNumber(value));

/** A number of bytes: 256 MB, 1.5 GB, 80 kB. */
export function formatBytes(bytes: number): string {
  const power = bytes >= 1e9 ? 3 : bytes >= 1e6 ? 2 : bytes >= 1e3 ? 1 : 0;
  return `${format(".3~r")(bytes / 1000 ** power)} ${["bytes", "kB", "MB", "GB"][power]}`;
}
