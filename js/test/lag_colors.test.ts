import { lab } from "d3-color";
import { describe, expect, it } from "vitest";
import { lagColor, lagColors, setLagColors } from "../src/geometry/lag_colors";

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

it("are properties of an element, those of earlier losses by a name of their own", () => {
  const set = new Map<string, string>();
  setLagColors({ style: { setProperty: (name: string, value: string) => set.set(name, value) } } as never, 2, "light");
  expect([...set]).toEqual([
    ["--rnnbow-lag-0", lagColors(2, "light")[0]],
    ["--rnnbow-lag-1", lagColors(2, "light")[1]],
    ["--rnnbow-earlier-0", lagColors(2, "light", true)[0]],
    ["--rnnbow-earlier-1", lagColors(2, "light", true)[1]],
  ]);
  expect(lagColor({ first: 1, last: 1, shade: 1 })).toBe("var(--rnnbow-lag-1)");
  expect(lagColor({ first: -2, last: -1, shade: 1 })).toBe("var(--rnnbow-earlier-1)");
});
