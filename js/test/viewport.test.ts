import { beforeEach, describe, expect, it } from "vitest";
import { createViewport, type Viewport } from "../src/geometry/viewport";

let viewport: Viewport;
const start = (length: number, following = false, fewest = 10) => {
  viewport = createViewport();
  viewport.update(length, following, fewest);
};

beforeEach(() => start(1000));

describe("the window", () => {
  it("is the whole run until somebody zooms, and again when it covers it", () => {
    expect([viewport.window, viewport.range]).toEqual([null, { start: 0, end: 1000 }]);
    viewport.zoom(250, 0.5);
    expect(viewport.window).toEqual({ start: 125, end: 625 });
    viewport.zoom(250, 4);
    expect(viewport.window).toBeNull();
  });

  it("leaves the batch under the pointer where it is", () => {
    viewport.zoom(700, 0.3);
    const { start, end } = viewport.range;
    expect((700 - start) / (end - start)).toBeCloseTo(0.7);
  });

  it("leaves it there too if the whole run does not fill the plot", () => {
    viewport.zoom(500, 0.25, 0.48);
    const { start, end } = viewport.range;
    expect((500 - start) / (end - start)).toBeCloseTo(0.48);
  });

  it("does not leave the run, and does not get too narrow", () => {
    viewport.zoom(0, 1e-6);
    expect(viewport.window).toEqual({ start: 0, end: 10 });
    viewport.pan(-50);
    expect(viewport.window).toEqual({ start: 0, end: 10 });
    viewport.pan(5000);
    expect(viewport.window).toEqual({ start: 990, end: 1000 });
    viewport.show({ start: 995, end: 996 });
    expect(viewport.window).toEqual({ start: 990, end: 1000 });
    viewport.update(1000, false, 100);
    expect(viewport.window).toEqual({ start: 900, end: 1000 });
  });

  it("can be zoomed only if there is more than the narrowest window holds", () => {
    expect(viewport.zoomable).toBe(true);
    start(10);
    expect(viewport.zoomable).toBe(false);
    viewport.zoom(5, 0.5);
    expect(viewport.window).toBeNull();
    start(0);
    viewport.zoom(0, 0.5);
    expect(viewport.range).toEqual({ start: 0, end: 0 });
  });

  it("pans just as far as it takes to see a batch", () => {
    viewport.show({ start: 200, end: 300 });
    const window = viewport.window;
    viewport.reveal(250);
    expect(viewport.window).toBe(window);
    viewport.reveal(300);
    expect(viewport.window).toEqual({ start: 201, end: 301 });
    viewport.reveal(10);
    expect(viewport.window).toEqual({ start: 10, end: 110 });
  });
});

describe("a run that grows", () => {
  it("is shown whole as long as nobody has zoomed", () => {
    viewport.update(1200, true, 10);
    expect([viewport.window, viewport.range.end]).toEqual([null, 1200]);
  });

  it("takes a window at its end along while the newest batch is followed", () => {
    start(1000, true);
    viewport.show({ start: 900, end: 1000 });
    viewport.update(1040, true, 10);
    expect(viewport.window).toEqual({ start: 940, end: 1040 });
  });

  it("leaves a window alone that was panned away, until it is panned back", () => {
    start(1000, true);
    viewport.show({ start: 900, end: 1000 });
    viewport.pan(-300);
    viewport.update(1040, true, 10);
    expect(viewport.window).toEqual({ start: 600, end: 700 });
    viewport.pan(1000);
    viewport.update(1050, true, 10);
    expect(viewport.window).toEqual({ start: 950, end: 1050 });
  });

  it("leaves a window alone while another batch is selected, and catches up when the newest is followed again", () => {
    viewport.show({ start: 900, end: 1000 });
    viewport.update(1040, false, 10);
    expect(viewport.window).toEqual({ start: 900, end: 1000 });
    viewport.update(1050, true, 10);
    expect(viewport.window).toEqual({ start: 950, end: 1050 });
  });
});
