/** Numbers as a reader expects them in print. */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const superscript = (exponent: number) =>
  (exponent < 0 ? "⁻" : "") + Array.from(String(Math.abs(exponent)), (digit) => SUPERSCRIPTS[Number(digit)]).join("");

/** With commas between thousands. */
const grouped = (digits: string) => digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");

/** A number in digits, so many of them behind the point; "0" has no sign. */
function fixed(value: number, decimals: number): string {
  const digits = Math.abs(value).toFixed(decimals);
  return (value < 0 && Number(digits) !== 0 ? "−" : "") + digits;
}

/** A size above zero in digits, of which so many count. */
function significant(size: number, digits: number): string {
  const [mantissa, exponent] = size
    .toExponential(digits - 1)
    .split("e")
    .map(Number);
  return grouped(Number(`${mantissa}e${exponent}`).toFixed(Math.max(0, digits - 1 - exponent)));
}

/** Without the zeros at its end that tell nothing. */
const trimmed = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** 1,234,567 */
export const formatCount = (value: number) => grouped(fixed(Math.round(value), 0));

/** A number to `digits` significant digits: 0.01234, −5.678 or 1.234×10⁻⁷. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e-3 && size < 1e5) return sign + significant(size, digits);
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  return `${sign}${mantissa}×10${superscript(Number(exponent))}`;
}

/** A number on an axis: as few digits as tell it. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const sign = value < 0 ? "−" : "";
  if (size >= 1e-3 && size < 1e5) return sign + trimmed(significant(size, 4));
  const [mantissa, exponent] = size.toExponential(3).split("e");
  const digits = String(Number(mantissa));
  return `${sign}${digits === "1" ? "" : `${digits}×`}10${superscript(Number(exponent))}`;
}

/** A part of one in %: 12.3 %, 0.45 %, < 0.01 %. */
export function formatPercent(part: number): string {
  const percent = 100 * Math.abs(part);
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  return `${fixed(percent, percent < 1 ? 2 : percent < 99.95 ? 1 : 0)} %`;
}

/** A loss in nats, to three decimals. */
export const formatLoss = (value: number) => (Number.isFinite(value) ? fixed(value, 3) : formatNumber(value));

/** Something counted: 1 step, 3 steps. `text` has the number as it is to be read, if not in plain digits. */
export const counted = (count: number, noun: string, text = String(count)) =>
  `${text} ${noun}${count === 1 ? "" : "s"}`;

/** A number of bytes: 256 MB, 1.5 GB, 80 kB. */
export function formatBytes(bytes: number): string {
  const power = bytes >= 1e9 ? 3 : bytes >= 1e6 ? 2 : bytes >= 1e3 ? 1 : 0;
  return `${trimmed(significant(bytes / 1000 ** power, 3)).replace(/,/g, "")} ${["bytes", "kB", "MB", "GB"][power]}`;
}
