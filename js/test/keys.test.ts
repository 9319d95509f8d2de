import { describe, expect, it, vi } from "vitest";
import type { Gestures } from "../src/figure/figure";
import type { Focus } from "../src/geometry/focus";
import { answerKeys, arrowOf, pinByKey, walk } from "../src/panels/keys";

function press(key: string, held: Partial<KeyboardEvent> = {}) {
  const event = { key, preventDefault: vi.fn(), stopPropagation: vi.fn(), ...held };
  return event as unknown as KeyboardEvent & typeof event;
}

describe("keys that are answered", () => {
  it("go no further", () => {
    const event = press("ArrowLeft");
    answerKeys(() => true)(event);
    expect(event.preventDefault).toHaveBeenCalledOnce();
    expect(event.stopPropagation).toHaveBeenCalledOnce();
  });

  it("are the browser's if nothing answers them, or with Ctrl, Alt or ⌘", () => {
    const answer = vi.fn(() => false);
    const unanswered = press("x");
    answerKeys(answer)(unanswered);
    expect(answer).toHaveBeenCalledOnce();
    expect(unanswered.preventDefault).not.toHaveBeenCalled();
    for (const held of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
      const event = press("ArrowLeft", held);
      answerKeys(answer)(event);
      expect(event.preventDefault).not.toHaveBeenCalled();
    }
    expect(answer).toHaveBeenCalledOnce();
  });
});

describe("keys that walk", () => {
  it("lead along a line, and not past its ends", () => {
    const lead = (key: string) => walk(key, 12, { last: 20 });
    expect(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"].map(lead)).toEqual([11, 13, 2, 20, 0, 20]);
    expect(lead("x")).toBeNull();
    expect(walk("ArrowLeft", 1, { first: 1, last: 5 })).toBe(1);
    expect(walk("ArrowRight", 3, { first: 1, last: 5, by: 0 })).toBe(3);
  });

  it("are arrows in a plane", () => {
    expect(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map(arrowOf)).toEqual([
      [-1, 0],
      [1, 0],
      [0, 1],
      [0, -1],
    ]);
    expect(arrowOf("Home")).toBeNull();
  });
});

describe("keys that pin", () => {
  it("pin what is pointed at, and Escape lets go", () => {
    const gestures = { point: vi.fn(), pin: vi.fn() };
    const as = (key: string, focus: Focus) => pinByKey(key, focus, gestures as unknown as Gestures);
    const nothing: Focus = { target: null, pinned: null };
    expect(as("Enter", nothing)).toBe(false);
    expect(as("x", { target: { kind: "loss", step: 3 }, pinned: null })).toBe(false);
    expect(gestures.pin).not.toHaveBeenCalled();
    expect(as(" ", { target: { kind: "loss", step: 3 }, pinned: null })).toBe(true);
    expect(gestures.pin).toHaveBeenLastCalledWith(3);
    expect(as("Escape", nothing)).toBe(true);
    expect(gestures.pin).toHaveBeenLastCalledWith(null);
    expect(gestures.point).toHaveBeenLastCalledWith(null);
  });
});
