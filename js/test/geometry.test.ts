import { describe, expect, it } from "vitest";
import { createColumns, LEFT, RIGHT } from "../src/columns";

describe("columns", () => {
  it.each([
    [600, 25, 20],
    [1000, 25, 36],
    [1600, 25, 60],
    [1600, 8, 72],
    [600, 100, 5],
  ])("at %i px with %i steps are %i whole pixels wide", (width, count, expected) => {
    const columns = createColumns(width, count);
    expect(columns.width).toBe(expected);
    expect(columns.right).toBeLessThanOrEqual(width - RIGHT);
    expect(Number.isInteger(columns.x(count - 1))).toBe(true);
  });

  it("find the step under each of their pixels", () => {
    const columns = createColumns(1000, 25);
    for (let step = 0; step < 25; step += 1) {
      expect(columns.stepAt(columns.x(step))).toBe(step);
      expect(columns.stepAt(columns.x(step + 1) - 0.01)).toBe(step);
    }
    expect(columns.stepAt(LEFT - 1)).toBeNull();
    expect(columns.stepAt(columns.right)).toBeNull();
  });

  it("fit even more steps than pixels", () => {
    expect(createColumns(600, 1000).right).toBeCloseTo(600 - RIGHT);
  });
});
