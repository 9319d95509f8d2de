import { describe, expect, it } from "vitest";
import { highestPerColumn, layOutBars } from "../src/bars";
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

describe("bars", () => {
  it("have whole pixels each, up to a limit", () => {
    expect(layOutBars(3, 900).columnWidth).toBe(12);
    expect(layOutBars(300, 900)).toMatchObject({ columnWidth: 3, perColumn: 1, columns: 300 });
    expect(layOutBars(301, 900)).toMatchObject({ columnWidth: 2, perColumn: 1 });
  });

  it("share a pixel when there are more of them than pixels", () => {
    const layout = layOutBars(5000, 900);
    expect(layout).toMatchObject({ columnWidth: 1, perColumn: 6, columns: 834 });
    expect(layout.columnOf(4999)).toBe(833);
    expect([layout.columnAt(-1), layout.columnAt(10), layout.columnAt(834)]).toEqual([null, 10, null]);
  });

  it("never lose a peak", () => {
    const heights = Float32Array.from({ length: 5000 }, (_, index) => (index % 977 === 0 ? 9 : 1));
    const shown = new Set(highestPerColumn(heights, layOutBars(5000, 400)));
    for (let peak = 0; peak < 5000; peak += 977) expect(shown.has(peak)).toBe(true);
  });

  it("prefer a finite bar to one that is not", () => {
    const layout = { ...layOutBars(3, 1), perColumn: 3, columns: 1 };
    expect(highestPerColumn([Number.NaN, 1, 2], layout)).toEqual([2]);
    expect(highestPerColumn([1, Number.POSITIVE_INFINITY, Number.NaN], layout)).toEqual([0]);
    expect(highestPerColumn([Number.NaN, Number.NaN, Number.NaN], layout)).toEqual([0]);
  });
});
