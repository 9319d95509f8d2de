import { describe, expect, it } from "vitest";
import { createColumns, LEFT } from "../src/geometry/columns";
import { drag, gripAt, isWhole, LEAST, pan, reveal, whole, zoom } from "../src/geometry/step_window";

const STEPS = 512;

describe("zooming", () => {
  it("keeps the step under the pointer where it is", () => {
    const view = zoom(whole(STEPS), STEPS, 0.5, 100);
    expect(view).toEqual({ first: 50, count: 256 });
    const columns = [createColumns(1000, STEPS), createColumns(1000, view.count, view.first)];
    expect(Math.abs(columns[0].x(100) - columns[1].x(100))).toBeLessThan(4);
  });

  it("goes by at least a step, and stops at either end", () => {
    expect(zoom({ first: 10, count: 20 }, STEPS, 0.999, 20).count).toBe(19);
    expect(zoom({ first: 10, count: 20 }, STEPS, 1.001, 20).count).toBe(21);
    expect(zoom({ first: 10, count: LEAST }, STEPS, 0.5, 12)).toEqual({ first: 10, count: LEAST });
    expect(isWhole(zoom({ first: 300, count: 200 }, STEPS, 100, 310), STEPS)).toBe(true);
    expect(zoom(whole(5), 5, 0.5, 2)).toEqual(whole(5));
  });

  it("comes back to where it began", () => {
    const start = { first: 200, count: 64 };
    expect(zoom(zoom(start, STEPS, 0.5, 232), STEPS, 2, 232)).toEqual(start);
  });
});

describe("moving", () => {
  it("stays inside the batch", () => {
    expect(pan({ first: 10, count: 100 }, STEPS, -50)).toEqual({ first: 0, count: 100 });
    expect(pan({ first: 400, count: 100 }, STEPS, 50)).toEqual({ first: 412, count: 100 });
  });

  it("shows a step with the least movement", () => {
    const view = { first: 100, count: 50 };
    expect(reveal(view, STEPS, 120)).toEqual(view);
    expect(reveal(view, STEPS, 99)).toEqual({ first: 99, count: 50 });
    expect(reveal(view, STEPS, 150)).toEqual({ first: 101, count: 50 });
  });
});

describe("the brush", () => {
  const view = { first: 100, count: 50 };

  it("has two edges and an inside", () => {
    expect([97, 103, 125, 149, 300].map((step) => gripAt(view, step, 4))).toEqual([
      "first",
      "first",
      "inside",
      "last",
      "outside",
    ]);
  });

  it("moves, is resized and is drawn anew", () => {
    expect(drag(view, STEPS, "inside", 120, 140)).toEqual({ first: 120, count: 50 });
    expect(drag(view, STEPS, "first", 100, 90)).toEqual({ first: 90, count: 60 });
    expect(drag(view, STEPS, "last", 150, 200)).toEqual({ first: 100, count: 100 });
    expect(drag(view, STEPS, "outside", 300, 340)).toEqual({ first: 300, count: 40 });
    expect(drag(view, STEPS, "outside", 340, 300)).toEqual({ first: 300, count: 40 });
  });

  it("keeps a least width, and the edge that is not held", () => {
    expect(drag(view, STEPS, "first", 100, 148)).toEqual({ first: 150 - LEAST, count: LEAST });
    expect(drag(view, STEPS, "last", 150, 101)).toEqual({ first: 100, count: LEAST });
    expect(drag(view, STEPS, "last", 150, 9000)).toEqual({ first: 100, count: STEPS - 100 });
  });
});

describe("columns of a stretch", () => {
  it.each([
    [1000, 512, 0],
    [1000, 100, 37],
    [600, 300, 11],
    [1600, 8, 200],
  ])("%i px, %i steps from %i: every step is found at its own pixels", (width, count, first) => {
    const columns = createColumns(width, count, first);
    expect(columns.x(first)).toBe(LEFT);
    for (let step = first; step < first + count; step += 1) {
      expect(Number.isInteger(columns.x(step))).toBe(true);
      expect(columns.stepAt(columns.x(step))).toBe(step);
      expect(columns.stepAt(columns.x(step + 1) - 0.01)).toBe(step);
    }
    expect(columns.stepAt(LEFT - 1)).toBeNull();
    expect(columns.has(first - 1)).toBe(false);
    expect(columns.stepAt(columns.right)).toBeNull();
  });
});
