import { beforeEach, describe, expect, it } from "vitest";
import { arrange } from "../src/figure/arrange";
import { type Arranging, createArranging } from "../src/figure/arranging";
import { sameTarget, type Target } from "../src/geometry/focus";
import { createSession } from "../src/session/session";
import { decodeDetails, detailsChunk } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility } from "./fakes";

const room = { width: 400, theme: "light", zoomed: null } as const;
const { state } = createSession(fakeModel().model, fakeClock().clock, fakeVisibility().visibility).store;
const held = (batch: number) => {
  const snapshot = decodeDetails(detailsChunk([batch])).read(0);
  return { snapshot, recorded: snapshot, beside: null };
};
let arranging: Arranging;

beforeEach(() => {
  arranging = createArranging();
});

describe("what panels draw", () => {
  it("is the same object until something changes, though a batch is held anew", () => {
    const first = arranging.arrange(held(3), state, room);
    expect(arranging.arrange(held(3), state, room)).toBe(first);
    expect(arranging.arrange(held(4), state, room)).not.toBe(first);
    const share = arranging.arrange(held(4), { ...state, measure: "share" }, room);
    expect(share).toMatchObject({ measure: "share", snapshot: { batch: 4 } });
    arranging.forget();
    expect(arranging.arrange(held(4), { ...state, measure: "share" }, room)).not.toBe(share);
  });

  it("is in the room and the colours of now, though the batch is none that is here", () => {
    expect(arranging.refit(state, room)).toBeNull();
    const first = arranging.arrange(held(3), state, room);
    expect(arranging.refit(state, room)).toBe(first);
    const narrow = arranging.refit(state, { ...room, width: 200 });
    expect(narrow).toMatchObject({ width: 200, snapshot: { batch: 3 } });
    expect(narrow?.columns.right).toBeLessThan(first.columns.right);
    expect(arranging.refit(state, { ...room, width: 200 })).toBe(narrow);
    expect(arranging.refit(state, { ...room, width: 200, theme: "dark" })).toMatchObject({ theme: "dark" });
    expect(arranging.arrange(held(3), state, room)).toMatchObject({ width: 400, theme: "light" });
  });
});

describe("the form of panel 3", () => {
  const of = (surface: string) => {
    const snapshot = decodeDetails(detailsChunk([3], 0, null, [], surface)).read(0);
    return { snapshot, recorded: null, surface, companion: { surface: "c", items: snapshot.items(surface, "norm") } };
  };
  const formAt = (width: number, form: "auto" | "bars" | "heatmap" = "auto", surface = "h") =>
    arrange(of(surface), { measure: "norm", form }, { ...room, width }).form;

  it("is bars where columns are wide enough, unless a person chose", () => {
    // 72 + 12 pixels are beside three columns of 6, and of less.
    expect([102, 101].map((width) => formAt(width))).toEqual(["bars", "heatmap"]);
    expect([formAt(101, "bars"), formAt(400, "heatmap")]).toEqual(["bars", "heatmap"]);
  });

  it("is no bars for what does not add up, and in its only measure", () => {
    expect(formAt(400, "auto", "jacobian")).toBe("heatmap");
    const { measure, companion } = arrange(of("jacobian"), { measure: "share", form: "auto" }, room);
    expect([measure, companion?.surface]).toEqual(["norm", "c"]);
    expect(arrange({ ...of("h"), surface: "h" }, { measure: "norm", form: "auto" }, room).companion).not.toBeNull();
  });

  it("does not change with zoom, which is of windows of the same length", () => {
    const zoomed = { view: { first: 1, count: 2 }, steps: 3 };
    const { view, columns, overall } = arrange(of("h"), state, { ...room, width: 102, zoomed });
    expect([view, columns.first, columns.count, overall.count]).toEqual([zoomed.view, 1, 2, 3]);
    expect(arrange(of("h"), state, { ...room, zoomed: { ...zoomed, steps: 4 } }).view).toEqual({ first: 0, count: 3 });
  });
});

describe("what is pointed at", () => {
  const part: Target = { kind: "part", step: 2, lag: 1, panel: "gradients" };
  const track: Target = { kind: "track", step: 2, track: "_l1" };
  const all: (Target | null)[] = [
    null,
    { kind: "loss", step: 2 },
    { kind: "loss", step: 3 },
    part,
    { ...part, lag: null },
    { ...part, panel: "horizon" },
    { ...part, step: 1 },
    track,
    { ...track, track: "" },
  ];

  it("is the same if all of it is", () => {
    for (const [i, a] of all.entries()) {
      for (const [j, b] of all.entries()) expect(sameTarget(a && { ...a }, b)).toBe(i === j);
    }
  });
});
