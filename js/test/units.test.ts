import { describe, expect, it } from "vitest";
import { barsPath, profileDecades, profilePath, tallestOf } from "../src/geometry/unit_plots";
import { rankUnits } from "../src/geometry/unit_ranking";
import { explainPart } from "../src/panels/part_note";
import type { Units } from "../src/protocol/chunks";
import type { Info } from "../src/protocol/contract";
import type { Missing } from "../src/session/detail_requests";

function unitsOf(
  numbers: Partial<Record<"size" | "share" | "reach" | "agreement", number[]>>,
  bars: number[][] = [],
): Units {
  const count = Object.values(numbers)[0]?.length ?? bars.length;
  const column = (values?: number[]) => Float32Array.from(values ?? Array<number>(count).fill(1));
  const steps = bars[0]?.length ?? 2;
  return {
    batch: 0,
    stream: null,
    surface: "W_hh",
    units: count,
    steps,
    firstLag: 0,
    lags: steps,
    size: column(numbers.size),
    share: column(numbers.share),
    reach: column(numbers.reach),
    agreement: column(numbers.agreement),
    bars: Float32Array.from(bars.flat()),
    profile: Float32Array.from(bars.flat()),
  };
}

describe("the order of units", () => {
  it("is by the largest share, the longest reach, or the size", () => {
    const units = unitsOf({ share: [0.2, 0.7, -0.1, 0.2], reach: [3, 3, 9, 1], size: [1, 2, 3, 4] });
    expect(rankUnits(units, "share")).toEqual([1, 0, 3, 2]);
    expect(rankUnits(units, "reach")).toEqual([2, 1, 0, 3]);
    expect(rankUnits(units, "size")).toEqual([3, 2, 1, 0]);
  });

  it("puts first what works against the rest: negative shares, then losses that agree least", () => {
    const units = unitsOf({ share: [0.4, -0.1, 0.5, -0.3, 0.5], agreement: [0.9, 0.8, -0.5, 0.7, 0.2] });
    expect(rankUnits(units, "against")).toEqual([3, 1, 2, 4, 0]);
  });

  it("puts last what is no number, and units without gradient", () => {
    const units = unitsOf({ size: [0, 1, 1, 1], agreement: [-1, Number.NaN, 0.5, -0.5] });
    expect(rankUnits(units, "against")).toEqual([3, 2, 1, 0]);
    const all = unitsOf({ size: [Number.NaN, 2, Number.NaN] });
    expect(rankUnits(all, "size")).toEqual([1, 0, 2]);
  });

  it("has every unit once, of 512 too", () => {
    const units = unitsOf({ size: Array.from({ length: 512 }, (_, unit) => (unit * 37) % 101) });
    expect([...rankUnits(units, "size")].sort((a, b) => a - b)).toEqual(Array.from({ length: 512 }, (_, unit) => unit));
  });
});

describe("the plots of a unit", () => {
  const box = { width: 100, height: 40 };

  it("have a bar for each step that received something, relative to the tallest", () => {
    const units = unitsOf({}, [
      [1, 0, 2, Number.POSITIVE_INFINITY],
      [4, 4, 4, 4],
    ]);
    expect(tallestOf(units, 0)).toBe(2);
    expect(barsPath(units, 0, 2, box)).toBe("M0,40v-20h24v20zM50,40v-40h24v40z");
    expect(barsPath(units, 0, 4, box)).toBe("M0,40v-10h24v10zM50,40v-20h24v20z");
    expect(barsPath(unitsOf({}, [[0, 0]]), 0, 0, box)).toBe("");
  });

  it("have a line that falls by decades, broken where pieces are zero", () => {
    const units = unitsOf({}, [[1, 0.1, 0, 0.01, 0.0001]]);
    expect(profileDecades(units, [0])).toBe(4);
    expect(profilePath(units, 0, 4, box)).toBe("M100,0L75,10M25,20L0,40");
    expect(profilePath(unitsOf({}, [[0, 0]]), 0, 4, box)).toBe("");
  });

  it("show at least two decades and at most six", () => {
    expect(profileDecades(unitsOf({}, [[1, 0.5]]), [0])).toBe(2);
    expect(profileDecades(unitsOf({}, [[1, 1e-20]]), [0])).toBe(6);
    expect(profileDecades(unitsOf({}, [[0, 0]]), [0])).toBe(2);
  });
});

describe("why a part of a batch is not there", () => {
  const say = (missing: Missing, { batch_size = 1, page = undefined as Info["page"], reached = true } = {}) => {
    const stream = batch_size > 1 ? 1 : null;
    const info = { batch_size, page } as Info;
    return explainPart("The units", { ...missing, batch: 1200, stream, part: "units:W_hh" }, { info, reached });
  };

  it("is said with the batch, the stream, and the kernel's reason", () => {
    expect(say({ why: "waiting" })).toBe("The units of batch 1,200: the kernel works it out…");
    expect(say({ why: "waiting" }, { batch_size: 3 })).toContain("of batch 1,200, stream 2 of 3,");
    const reason = "The training cannot be repeated.";
    expect(say({ why: "refused", reason, nearest: null })).toBe(`The units of batch 1,200 cannot be shown. ${reason}`);
    expect(say({ why: "thinned", nearest: 4 })).toMatch(/cannot be worked out any more/);
  });

  it("tells a kernel that is silent from one that is not there, and from a page that never has one", () => {
    expect(say({ why: "silent" })).toMatch(/has not answered for some seconds/);
    expect(say({ why: "silent" }, { reached: false })).toMatch(/not in this notebook/);
    expect(say({ why: "silent" }, { page: { details: 3 } })).toMatch(/not in this page: it is a file/);
  });
});
