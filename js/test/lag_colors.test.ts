import { lab } from "d3-color";
import { describe, expect, it } from "vitest";
import { lagColors } from "../src/lag_colors";

const lightness = (color: string) => lab(color).l;

describe.each(["light", "dark"] as const)("lag colours on a %s page", (theme) => {
  it.each([1, 2, 5, 25, 50])("are %i, ordered from dark to light", (lags) => {
    const colors = lagColors(lags, theme);
    expect(colors).toHaveLength(lags);
    for (let lag = 1; lag < lags; lag += 1) {
      expect(lightness(colors[lag])).toBeGreaterThan(lightness(colors[lag - 1]));
    }
  });

  it("can be told apart where bars are tallest", () => {
    const colors = lagColors(25, theme);
    for (let lag = 1; lag < 6; lag += 1) {
      expect(lightness(colors[lag]) - lightness(colors[lag - 1])).toBeGreaterThan(2);
    }
  });
});

it("keeps the darkest colour visible on a dark page", () => {
  expect(lightness(lagColors(5, "dark")[0])).toBeGreaterThan(40);
});
