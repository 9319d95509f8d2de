import { describe, expect, it } from "vitest";
import type { Cue } from "../src/protocol/contract";
import { cuesByBatch, nextCue } from "../src/state/cues";

const cue = (batch: number, kind: Cue["kind"] = "tallest"): Cue => ({ batch, kind, score: 1, reason: `${kind}.` });

describe("cues", () => {
  const cues = [cue(50), cue(20), cue(50, "sudden_change"), cue(90)];

  it("are found forwards and backwards from any batch", () => {
    expect([0, 20, 49, 50, 90].map((batch) => nextCue(cues, batch, 1)?.batch)).toEqual([20, 50, 50, 90, undefined]);
    expect([99, 90, 50, 21, 20].map((batch) => nextCue(cues, batch, -1)?.batch)).toEqual([90, 50, 20, 20, undefined]);
    expect(nextCue(cues, 30, 1)?.kind).toBe("tallest");
    expect(nextCue([], 3, 1)).toBeNull();
  });

  it("of one batch stay together and in rank", () => {
    const grouped = cuesByBatch(cues);
    expect([...grouped.keys()]).toEqual([50, 20, 90]);
    expect(grouped.get(50)?.map(({ kind }) => kind)).toEqual(["tallest", "sudden_change"]);
  });
});
