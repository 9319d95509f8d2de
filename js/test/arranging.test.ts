import { beforeEach, describe, expect, it } from "vitest";
import { type Arranging, createArranging } from "../src/arranging";
import { type DetailsChunk, decodeChunk } from "../src/protocol";
import { createSession } from "../src/session";
import { detailsChunk } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility } from "./fakes";

const room = { width: 400, theme: "light", zoomed: null } as const;
const { state } = createSession(fakeModel().model, fakeClock().clock, fakeVisibility().visibility).store;
const held = (batch: number) => {
  const snapshot = (decodeChunk(detailsChunk([batch])) as DetailsChunk).read(0);
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
