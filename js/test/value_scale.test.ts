import { describe, expect, it } from "vitest";
import { linearScale, logScale } from "../src/geometry/value_scale";

describe("the linear axis", () => {
  it("begins at zero, and puts what is not finite there", () => {
    const { y, ticks } = linearScale(4, 100, 0);
    expect([y(0), y(4), y(Number.NaN), y(Number.POSITIVE_INFINITY)]).toEqual([100, 0, 100, 100]);
    expect(ticks).toEqual([0, 1, 2, 3, 4].filter((tick) => ticks.includes(tick)));
  });

  it.each([0, Number.NaN])("stands even if the highest value is %f", (most) => {
    expect(linearScale(most, 100, 0).ticks[0]).toBe(0);
  });

  it("has two ticks at least where only whole numbers are ticks and all values are below 1", () => {
    const { y, ticks } = linearScale(0.5, 100, 0, true);
    expect(ticks).toEqual([0, 1]);
    expect([y(0.5), y(1)]).toEqual([50, 0]);
  });
});

describe("the logarithmic axis", () => {
  it.each([
    [1e-30, 1e-2],
    [0.002, 0.9],
    [3, 4],
    [5, 5],
  ])("from %f to %f has a bar for every value above zero, and some ticks", (least, most) => {
    const { y, ticks } = logScale(least, most, 100, 0);
    expect(y(least)).toBeLessThan(100);
    expect(y(most)).toBeGreaterThanOrEqual(0);
    expect([y(0), y(-1), y(least / 2), y(Number.NaN)]).toEqual([100, 100, 100, 100]);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(8);
    for (const tick of ticks) expect(y(tick)).toBeLessThanOrEqual(100);
  });

  it.each([Number.NaN, 0, Math.min()])("stands even if nothing is above zero, so that the least is %f", (least) => {
    const { y, ticks } = logScale(least, 0, 100, 0);
    expect(y(0)).toBe(100);
    expect(ticks.length).toBeLessThan(8);
  });
});
