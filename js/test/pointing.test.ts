import { beforeEach, describe, expect, it } from "vitest";
import type { Target } from "../src/geometry/focus";
import { createPointing, type Pointing } from "../src/view/pointing";
import type { Work } from "../src/view/scheduling";

const part: Target = { kind: "part", step: 2, lag: 1, panel: "gradients" };
let due: Work[];
let pointing: Pointing;

beforeEach(() => {
  due = [];
  pointing = createPointing((work) => due.push(work));
});

describe("what is pointed at and pinned", () => {
  it("is highlighted when it changes, and not when it stays", () => {
    pointing.gestures.point(part);
    pointing.gestures.point({ ...part });
    pointing.gestures.pin(7);
    expect([pointing.focus, due]).toEqual([{ target: part, pinned: 7 }, ["highlight", "highlight"]]);
    pointing.gestures.pin(7);
    expect(pointing.focus.pinned, "the same again unpins it").toBeNull();
    pointing.pinFrom(5);
    pointing.leave();
    expect(pointing.focus).toEqual({ target: null, pinned: 5 });
  });

  it("is let go of where the next batch does not have it, pinned or pointed at", () => {
    pointing.gestures.pin(7);
    pointing.fit(8);
    expect(pointing.focus.pinned).toBe(7);
    pointing.fit(7);
    expect(pointing.focus).toEqual({ target: null, pinned: null });
    pointing.gestures.point(part);
    pointing.fit(2);
    expect(pointing.focus.target).toBeNull();
  });
});

describe("the steps in view", () => {
  it("are a stretch of the batch that is drawn; without one there is nothing to zoom", () => {
    pointing.gestures.zoom({ first: 0, count: 9 });
    expect([pointing.zoomed, due]).toEqual([null, []]);
    pointing.fit(100);
    pointing.gestures.zoom({ first: 95, count: 20 });
    expect([pointing.zoomed, due]).toEqual([{ view: { first: 80, count: 20 }, steps: 100 }, ["all"]]);
  });
});
