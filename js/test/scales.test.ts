import { describe, expect, it } from "vitest";
import { colorsThrough } from "../src/geometry/lab";
import { scaleLinear, scaleLog } from "../src/geometry/scales";

describe("scales", () => {
  it("place values in proportion, and back", () => {
    const scale = scaleLinear([0, 4], [100, 20]);
    expect([0, 1, 4].map(scale)).toEqual([100, 80, 20]);
    expect(scale.invert(80)).toBe(1);
    expect(scale.ticks(4)).toEqual([0, 1, 2, 3, 4]);
    expect(scale.domain([0, 8])(4)).toBe(60);
    expect(scale.range([0, 8])(4)).toBe(4);
  });

  it("place powers of ten evenly, and back", () => {
    const scale = scaleLog([1e-6, 1], [0, 60]);
    expect(scale(1e-3)).toBeCloseTo(30);
    expect(scale(1e-4)).toBeCloseTo(20);
    expect(scale.invert(30)).toBeCloseTo(1e-3, 8);
  });

  it("place all in the middle where they have no extent", () => {
    expect(scaleLinear([3, 3], [0, 10])(3)).toBe(5);
    expect(scaleLog([1, 1], [0, 10])(1)).toBe(5);
  });

  it("are copied", () => {
    const scale = scaleLinear([0, 1], [0, 10]);
    const copy = scale.copy();
    scale.domain([0, 2]);
    expect(copy(1)).toBe(10);
  });
});

describe("colours between others", () => {
  it("begins and ends where it is told, and passes the middle", () => {
    const colors = colorsThrough(["#000000", "#777777", "#ffffff"]);
    expect([0, 0.5, 1].map(colors)).toEqual(["rgb(0, 0, 0)", "rgb(119, 119, 119)", "rgb(255, 255, 255)"]);
  });

  it("is even to the eye: half way between black and white is L* = 50", () => {
    expect(colorsThrough(["#000000", "#ffffff"])(0.5)).toBe("rgb(119, 119, 119)");
  });
});

it("scales tell what they span", () => {
  const scale = scaleLinear([2, 4], [100, 20]);
  expect([scale.domain(), scale.range()]).toEqual([
    [2, 4],
    [100, 20],
  ]);
  expect([scaleLinear().domain(), scaleLinear().range(), scaleLog().domain(), scaleLog().range()]).toEqual([
    [0, 1],
    [0, 1],
    [1, 10],
    [0, 1],
  ]);
});
