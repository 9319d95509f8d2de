import { format } from "d3-format";
import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatLoss, formatNumber, formatPercent, formatTick } from "../src/words/format";

/** Sizes of all kinds, those on the edge of the next digit too. */
const SIZES = Array.from({ length: 400 }, (_, index) => 1.0473 ** (index - 150)).concat([
  0.001, 0.0099995, 0.09995, 0.99995, 1, 9.9995, 12, 100, 999.95, 1000, 1234.5, 9999.5, 12345.678, 99999,
]);
const readable = SIZES.filter((size) => size >= 1e-3 && size < 1e5);

describe("numbers are written as d3 writes them", () => {
  it.each([3, 4])("to %d significant digits", (digits) => {
    const d3 = format(`,.${digits}r`);
    for (const size of readable) {
      expect(formatNumber(size, digits)).toBe(d3(size));
      expect(formatNumber(-size, digits)).toBe(`−${d3(size)}`);
    }
  });

  it("on axes, without zeros at the end", () => {
    for (const size of readable) expect(formatTick(size)).toBe(format(",.4~r")(size));
  });

  it("as counts, with commas", () => {
    for (const count of [0, 7, 999, 1000, 123456, 1234567, -4321, -0.2, 2.5]) {
      expect(formatCount(count)).toBe(format(",d")(count));
    }
  });

  it("as losses, percents and bytes", () => {
    for (const size of SIZES.filter((one) => one < 1e6)) {
      expect(formatLoss(size)).toBe(format(".3f")(size));
      expect(formatLoss(-size)).toBe(format(".3f")(-size));
    }
    for (const part of SIZES.filter((one) => one >= 1e-4 && one < 10)) {
      const percent = 100 * part;
      const kind = percent < 1 ? ".2f" : percent < 99.95 ? ".1f" : ".0f";
      expect(formatPercent(part)).toBe(`${format(kind)(percent)} %`);
    }
    for (const bytes of [1, 999, 1000, 80_000, 256_000_000, 1.5e9, 12_345_678]) {
      const [digits] = formatBytes(bytes).split(" ");
      const power = bytes >= 1e9 ? 3 : bytes >= 1e6 ? 2 : bytes >= 1e3 ? 1 : 0;
      expect(digits).toBe(format(".3~r")(bytes / 1000 ** power));
    }
  });
});
