import { describe, expect, it } from "vitest";
import { createColumns, LEFT, RIGHT } from "../src/geometry/columns";

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

describe("bars in columns", () => {
  it("leave a gap between them that fits their width, and are never thinner than a pixel", () => {
    const gaps = [
      [25, 4],
      [50, 2],
      [200, 1],
      [600, 0],
    ].map(([count, gap]) => ({ columns: createColumns(1000, count), gap }));
    for (const { columns, gap } of gaps) {
      expect(columns.barX(3)).toBe(columns.x(3) + gap / 2);
      expect(columns.barWidth(3)).toBe(Math.max(1, columns.x(4) - columns.x(3) - gap));
    }
    expect(createColumns(600, 1000).barWidth(3)).toBe(1);
  });

  it("stand in the middle of their steps, of the stretch that is in view", () => {
    const columns = createColumns(1000, 5, 10);
    expect(columns.center(10)).toBe(LEFT + columns.width / 2);
    expect([9, 10, 14, 15].map(columns.has)).toEqual([false, true, true, false]);
    expect(columns.stepAt(LEFT)).toBe(10);
  });
});
