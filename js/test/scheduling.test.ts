import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BEGIN_MS, createScheduling, type Piece, type Work } from "../src/view/scheduling";

let frames: Map<number, () => void>;
let now: number;
let drawn: string[];
let left: Piece[];
let controller: AbortController;
let schedule: (work: Work) => void;
let settle: () => void;

/** Something that takes a while to draw. */
const piece = (name: string, ms: number) => () => {
  drawn.push(name);
  now += ms;
};

/** Runs what was asked for the next frame, and gives what was drawn in it. */
function frame(): string[] {
  const before = drawn.length;
  const due = [...frames.values()];
  frames.clear();
  for (const callback of due) callback();
  return drawn.slice(before);
}

beforeEach(() => {
  frames = new Map();
  [now, drawn, left] = [0, [], []];
  let last = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => {
    last += 1;
    frames.set(last, callback);
    return last;
  });
  vi.stubGlobal("cancelAnimationFrame", (request: number) => frames.delete(request));
  controller = new AbortController();
  const drawing = {
    draw(work: Work) {
      drawn.push(work);
      return left;
    },
    failed: (error: unknown) => drawn.push(String(error)),
  };
  ({ schedule, settle } = createScheduling(controller.signal, drawing, () => now));
});
afterEach(() => vi.unstubAllGlobals());

describe("drawing", () => {
  it("happens once for a frame, and takes the most that is due", () => {
    schedule("highlight");
    schedule("all");
    schedule("highlight");
    expect(frames.size).toBe(1);
    expect(frame()).toEqual(["all"]);
    expect(frame()).toEqual([]);
  });

  it("takes as many pieces into a frame as there is time for, and one at least", () => {
    left = [piece("a", 1), piece("b", BEGIN_MS), piece("c", 100), piece("d", 1), piece("e", 1)];
    schedule("all");
    expect(frame()).toEqual(["all", "a", "b"]);
    expect(frame()).toEqual(["c"]);
    expect(frame()).toEqual(["d", "e"]);
    expect(frames.size).toBe(0);
  });

  it("ends what was begun before it begins what has become due", () => {
    left = [piece("a", BEGIN_MS), piece("b", BEGIN_MS)];
    schedule("all");
    expect(frame()).toEqual(["all", "a"]);
    schedule("all");
    expect(frame()).toEqual(["b"]);
    expect(frame()).toEqual(["all", "a"]);
    expect(frame()).toEqual(["b"]);
    expect(frames.size).toBe(0);
  });

  it("is done to the end at once where a key waits for it", () => {
    left = [piece("a", BEGIN_MS), piece("b", BEGIN_MS)];
    schedule("all");
    frame();
    left = [piece("c", BEGIN_MS)];
    schedule("all");
    settle();
    expect(drawn).toEqual(["all", "a", "b", "all", "c"]);
    expect(frames.size).toBe(0);
  });

  it("leaves out the rest of what failed, and goes on with what comes", () => {
    left = [
      () => {
        throw new Error("no ink");
      },
      piece("b", 1),
    ];
    schedule("all");
    expect(frame()).toEqual(["all", "Error: no ink"]);
    left = [];
    schedule("highlight");
    expect(frame()).toEqual(["highlight"]);
  });

  it("ends with the signal", () => {
    left = [piece("a", BEGIN_MS), piece("b", 1)];
    schedule("all");
    frame();
    controller.abort();
    schedule("all");
    expect(frame()).toEqual([]);
  });
});
