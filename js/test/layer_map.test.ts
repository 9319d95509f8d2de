import { describe, expect, it } from "vitest";
import { primaryOf, recordedOf } from "../dev/network";
import { syntheticDetails } from "../dev/synthetic";
import { binCells } from "../src/geometry/heat";
import { largestSteps, layOutRows, rowAt, sentTo, tracksOf } from "../src/geometry/layer_map";
import { indexOf } from "../src/protocol/lags";
import { decodeDetails, NETWORK } from "./chunks";

const SETTINGS = { ...NETWORK, layers: 3, bidirectional: true, steps: 9 };
const primary = primaryOf(SETTINGS);
const snapshot = decodeDetails(syntheticDetails([5], SETTINGS, null, primary)).read(0);
const tracks = tracksOf(snapshot);

describe("the map of layers", () => {
  it("has a row for every track that was recorded, the top layer first; layers of both directions have two", () => {
    expect(recordedOf(SETTINGS, primary)).toContain("W_hh_l2_both");
    expect(tracks.map(({ name }) => name)).toEqual([
      "W_hh_l2",
      "W_hh_l2_reverse",
      "W_hh_l1",
      "W_hh_l1_reverse",
      "W_hh",
      "W_hh_l0_reverse",
    ]);
  });

  it("shows what each step receives from all losses, what lies beyond the recorded lags too", () => {
    for (const { name, bars } of tracks) {
      const { pieces, beyond, lags } = snapshot.items(name, "norm");
      bars.forEach((bar, step) => {
        const own = pieces.subarray(step * lags, (step + 1) * lags);
        expect(bar).toBeCloseTo(own.reduce((sum, value) => sum + value, 0) + (beyond?.[step] ?? 0), 6);
      });
    }
  });

  it("shows what one loss sent to each track, and where it does not reach", () => {
    for (const track of tracks) {
      const sent = sentTo(track, 4);
      const { firstLag, lags, pieces } = track.items;
      sent.forEach((value, step) => {
        const lag = 4 - step;
        const reached = lag >= firstLag && lag < firstLag + lags;
        expect(value).toBe(reached ? pieces[indexOf(step, lag, track.items)] : -1);
      });
    }
    const reach = (index: number) => Array.from(sentTo(tracks[index], 4), (value) => value >= 0);
    expect([reach(0).indexOf(true), reach(0).lastIndexOf(true)]).toEqual([1, 4]);
    expect([reach(1).indexOf(true), reach(1).lastIndexOf(true)]).toEqual([4, 7]);
    expect([reach(4).indexOf(true), reach(4).lastIndexOf(true)]).toEqual([1, 7]);
  });

  it("shows of several steps in one pixel the largest, and what is not finite before all", () => {
    const values = [5, 1, 9, -1, -1, 2, Number.NaN, 8];
    expect(Array.from(largestSteps(values, 0, binCells(8, 4)))).toEqual([0, 2, 5, 6]);
    expect(Array.from(largestSteps(values, 3, binCells(2, 2)))).toEqual([-1, -1]);
  });

  it.each([1, 2, 4, 12, 24])("has rows for %i tracks that can be pointed at, one below the other", (count) => {
    const { rows, height } = layOutRows(Array.from({ length: count }, (_, index) => ({ layer: count - index })));
    rows.forEach(({ y, height: tall }, index) => {
      expect(tall).toBeGreaterThanOrEqual(11);
      expect(y).toBe(index === 0 ? 0 : rows[index - 1].y + rows[index - 1].height);
      expect(rowAt(rows, y + tall / 2)).toBe(index);
    });
    expect([rowAt(rows, -1), rowAt(rows, height)]).toEqual([null, null]);
    const paired = layOutRows(tracks);
    expect(paired.rows[2].y).toBeGreaterThan(paired.rows[1].y + paired.rows[1].height);
    expect(paired.rows[1].y).toBe(paired.rows[0].height);
  });
});
