import { describe, expect, it } from "vitest";
import type { ColumnData } from "../dev/chunks";
import type { Info } from "../src/protocol/contract";
import { describeBeyond } from "../src/words/beyond";
import { totalText } from "../src/words/measures";
import { averageText } from "../src/words/outcomes";
import { explainStreams, streamName } from "../src/words/streams";
import { decodeDetails, detailsChunk } from "./chunks";
import { fakeModel } from "./fakes";

const info: Info = { ...fakeModel().traits._info, batch_size: 4 };
const alone: Info = { ...info, batch_size: 1 };
const shares: ColumnData = ["accuracy", "f4", [1, 3], [0, 0.25, 1]];
const average = decodeDetails(detailsChunk([0], 0, null, [shares])).read(0);
const stream = decodeDetails(detailsChunk([0], 0, 1)).read(0);
const whole = decodeDetails(detailsChunk([0])).read(0);

describe("what is shown of a minibatch", () => {
  it("has a name, which counts from one; one stream has none", () => {
    expect([null, 0, 3].map((index) => streamName(index, info))).toEqual([
      "average over 4 streams",
      "stream 1 of 4",
      "stream 4 of 4",
    ]);
    expect([streamName(null, alone), explainStreams(whole, "W_hh", "share", true, alone)]).toEqual(["", ""]);
  });

  it("counts the streams that were right, of any number that single precision rounds", () => {
    expect([0, 1, 2].map((step) => averageText(average, step, info))).toEqual([
      "0 of 4 streams right",
      "1 of 4 streams right",
      "4 of 4 streams right",
    ]);
    const many = { ...info, batch_size: 7 };
    for (let right = 0; right <= 7; right += 1) {
      expect(averageText({ ...average, accuracy: Float32Array.of(right / 7) }, 0, many)).toBe(
        `${right} of 7 streams right`,
      );
    }
  });

  it("says what the mark on a bar is, and of what a share is a share", () => {
    expect(explainStreams(average, "W_hh", "norm", true, info)).toContain("streams cancel");
    expect(explainStreams(average, "W_hh", "share", true, info)).toContain("add up to");
    expect(explainStreams(average, "W_hh", "norm", false, info), "a heat map has no marks").toBe(
      "Cells are means over streams.",
    );
    expect(explainStreams(stream, "W_hh", "norm", true, info)).toBe("");
    expect(explainStreams(stream, "W_hh", "share", true, info)).toContain("all 4 streams together");
    expect([average, stream].map((shown) => totalText("norm", shown))).toEqual([
      "norm of the mean of the streams’ sums",
      "norm of the sum",
    ]);
    expect(
      [whole, stream].map((shown) => describeBeyond(shown, shown.items("W_hh", "share"), "W_hh", "share")),
    ).toEqual([expect.stringContaining("of the whole gradient"), expect.stringContaining("of this stream’s part")]);
  });
});
