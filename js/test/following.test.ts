import { describe, expect, it, vi } from "vitest";
import { createRun, type Run } from "../src/state/run";
import type { State } from "../src/state/store";
import { createFollowing, SHOWN_MS } from "../src/view/following";
import { decodeOverview, overviewChunk } from "./chunks";
import { STATUS } from "./fakes";

function following() {
  let now = 0;
  const newest = createFollowing(() => now);
  const run = createRun();
  const add = (...batches: number[]) => run.append(decodeOverview(overviewChunk(batches)));
  const shown = (state: "training" | "paused", pointedAt = false, held: Run = run) =>
    newest({ run: held, status: { ...STATUS, state } } as State, pointedAt);
  return { add, run, shown, pass: (ms: number) => (now += ms) };
}

describe("following the newest batch", () => {
  it("shows each batch for long enough while training", () => {
    const { add, shown, pass } = following();
    expect(shown("training")).toBe(-1);
    add(0);
    pass(SHOWN_MS);
    expect(shown("training")).toBe(0);
    add(1, 2);
    pass(SHOWN_MS - 1);
    expect(shown("training")).toBe(0);
    pass(1);
    expect(shown("training")).toBe(2);
  });

  it("goes by the page's own clock unless it is given another", () => {
    const newest = createFollowing();
    const { add, run } = following();
    const shown = () => newest({ run, status: { ...STATUS, state: "training" } } as State, false);
    add(0);
    expect(shown()).toBe(0);
    add(1);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + SHOWN_MS);
    expect(shown()).toBe(1);
    vi.restoreAllMocks();
  });

  it("shows the newest at once when training ends", () => {
    const { add, shown } = following();
    add(0);
    shown("training");
    add(1);
    expect(shown("paused")).toBe(1);
  });

  it("keeps a batch for as long as it is pointed at", () => {
    const { add, shown, pass } = following();
    add(0);
    shown("training");
    add(1);
    pass(10 * SHOWN_MS);
    expect(shown("training", true)).toBe(0);
    expect(shown("training", false)).toBe(1);
  });

  it("shows the first batch at once, and leaves a run that was replaced", () => {
    const { add, shown } = following();
    shown("training");
    add(0);
    expect(shown("training")).toBe(0);
    add(1);
    expect(shown("training", true, createRun())).toBe(-1);
  });
});
