import { describe, expect, it } from "vitest";
import { settingValue } from "../src/controls/setting_text";
import {
  describeChoice,
  describeResidual,
  explainResiduals,
  inForce,
  layOutResiduals,
} from "../src/geometry/residuals";
import type { Items, Snapshot } from "../src/protocol/chunks";
import type { HorizonChoice } from "../src/protocol/contract";
import { beyondShare, describeBeyond } from "../src/words/beyond";

const CHOICE: HorizonChoice = {
  horizon: 3,
  tolerance: 0.1,
  batch: 1200,
  losses: 24,
  residual: [1, 1.25, 0.4, 0.08, 3.2e-9, 0],
};

function choiceOf(longest: number, least: number): HorizonChoice {
  const residual = Array.from({ length: longest + 1 }, (_, k) => (k === longest ? 0 : least ** (k / longest)));
  return { ...CHOICE, residual, horizon: residual.findLastIndex((part) => part > 0.1) + 1 };
}

describe("the plot of residuals", () => {
  it.each([
    [1, 0.5],
    [5, 0.01],
    [25, 1e-5],
    [512, 1e-31],
  ])("of %i lags down to %f has a place for every k and every part above zero", (longest, least) => {
    const choice = choiceOf(longest, least);
    const layout = layOutResiduals(choice, [80, 500], [150, 20]);
    const ks = Array.from({ length: longest }, (_, index) => index + 1);
    for (const k of ks) {
      const [x, y] = [layout.x(k), layout.y(choice.residual[k])];
      expect(x >= 80 && x <= 500).toBe(true);
      expect(layout.kAt(x)).toBe(k);
      if (k === longest) expect(y).toBeNull();
      else expect((y as number) >= 20 && (y as number) < 150).toBe(true);
    }
    const heights = ks.slice(0, -1).map((k) => layout.y(choice.residual[k]) as number);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    expect([layout.kAt(-1000), layout.kAt(5000)]).toEqual([1, longest]);
    expect([layout.xTicks[0], layout.xTicks.at(-1)]).toEqual([1, longest]);
    const [low, high] = layout.yAxis.domain();
    for (const tick of layout.yTicks) expect(tick >= low * 0.999 && tick <= high * 1.001).toBe(true);
    for (const [ticks, place, distance] of [
      [layout.xTicks, layout.x, 20],
      [layout.yTicks, layout.y, 12],
    ] as const) {
      const places = ticks.map((tick) => place(tick) as number);
      for (let index = 1; index < places.length; index += 1) {
        expect(Math.abs(places[index] - places[index - 1])).toBeGreaterThan(distance);
      }
    }
  });

  it("is logarithmic in k for long windows only, and gives many decades' upper ones more room", () => {
    expect(layOutResiduals(choiceOf(64, 1e-5), [0, 400], [100, 0]).logarithmic).toBe(false);
    const long = layOutResiduals(choiceOf(512, 1e-30), [0, 400], [100, 0]);
    expect(long.logarithmic).toBe(true);
    expect(long.y(1e-3)).toBeGreaterThan(25);
    expect(long.yTicks.length).toBeGreaterThan(3);
  });

  it("holds the tolerance, wherever it is, and stands without any part above zero", () => {
    const far = layOutResiduals({ ...CHOICE, tolerance: 1e-12 }, [0, 400], [100, 0]);
    expect(far.y(1e-12)).toBeLessThan(100);
    expect(layOutResiduals({ ...CHOICE, tolerance: 7 }, [0, 400], [100, 0]).y(7)).toBe(0);
    const nothing = layOutResiduals({ ...CHOICE, tolerance: 0, residual: [1, 0] }, [0, 400], [100, 0]);
    expect([nothing.y(0), nothing.y(null), nothing.x(1)]).toEqual([null, null, 200]);
    expect(nothing.yTicks.length).toBeGreaterThan(0);
  });
});

describe("residuals in words", () => {
  it("tell one k", () => {
    expect(describeResidual(CHOICE, 2)).toBe("With k = 2, up to 40.0 % of a loss’s gradient is left out");
    expect(describeResidual(CHOICE, 4)).toBe("With k = 4, up to 3.20×10⁻⁹ of a loss’s gradient is left out");
    expect(describeResidual(CHOICE, 5)).toBe("With k = 5, nothing is left out");
    expect(describeResidual({ ...CHOICE, residual: [1, null] }, 1)).toBe("With k = 1, what is left out is not finite");
  });

  it("tell the choice, and the horizon in force", () => {
    const found = "3 lags are enough: at most 8.0 % of any loss’s gradient is left out.";
    expect(describeChoice(CHOICE, 2)).toBe(`${found} The one in force, 2, leaves out up to 40.0 %.`);
    expect(describeChoice(CHOICE, null)).toBe(`${found} The one in force, 5, leaves out nothing.`);
    expect(describeChoice(CHOICE, "auto")).toBe(`${found} That is the horizon in force.`);
    expect(describeChoice({ ...CHOICE, horizon: 1, residual: [1, 0] }, 40)).toBe(
      "1 lag is enough: nothing is left out. That is the horizon in force.",
    );
    expect(([2, 40, null, "auto"] as const).map((setting) => inForce(setting, CHOICE))).toEqual([2, 5, 5, 3]);
  });

  it("say what the plot shows, and what is out of the ordinary", () => {
    const words = explainResiduals(CHOICE, 3400);
    for (const part of ["24 losses", "batch 1,200", "k = 3 on", "10 %", "cancel", "lowest line", "by 2,200 batches"]) {
      expect(words).toContain(part);
    }
    const plain = explainResiduals({ ...CHOICE, residual: [1, 0.9, 0.2, null] }, 1200);
    expect(plain).toContain("not finite");
    for (const part of ["cancel", "lowest line", "gone on"]) expect(plain).not.toContain(part);
  });
});

describe("what lies beyond the horizon", () => {
  const snapshot = { steps: 3, stream: null } as Snapshot;
  const items = (beyond: number[], pieces = [1, 2, 1, 0, 1, 0], total = [2, 1, 1]): Items => ({
    firstLag: 0,
    lags: 2,
    bound: null,
    pieces: Float32Array.from(pieces),
    beyond: Float32Array.from(beyond),
    total: Float32Array.from(total),
  });

  it("is a part of all bars, or of the exact signed sum", () => {
    expect(beyondShare(items([3, 1, 1]), "norm")).toBe(0.5);
    expect(beyondShare(items([1, 0, 0]), "share")).toBe(0.25);
    expect(beyondShare(items([0, 0, 0], [0, 0, 0, 0, 0, 0]), "norm")).toBe(0);
  });

  it("is said in words, zero and the whole window too", () => {
    expect(describeBeyond(snapshot, items([3, 1, 1]), "W_hh", "norm")).toBe(
      "50.0 % of what the weights received, by norm, lies beyond the 2 recorded lags.",
    );
    expect(describeBeyond(snapshot, items([1, 0, 0]), "W_hh", "share")).toMatch(
      /^25\.0 % of the whole gradient .* lies beyond/,
    );
    expect(describeBeyond(snapshot, items([-1, 0, 0]), "W_hh", "share")).toMatch(/works against the rest, by 25\.0 %/);
    expect(describeBeyond(snapshot, items([0, 0, 0]), "W_hh", "norm")).toBe("Nothing lies beyond the 2 recorded lags.");
    expect(describeBeyond(snapshot, { ...items([0, 0, 0]), lags: 1 }, "W_hh", "norm")).toBe(
      "Nothing lies beyond the one recorded lag.",
    );
    expect(describeBeyond(snapshot, { ...items([0, 0, 0]), lags: 3 }, "W_hh", "norm")).toContain("whole window");
    expect(describeBeyond(snapshot, items([Number.NaN, 0, 0]), "W_hh", "norm")).toContain("not finite");
  });
});

it.each([
  ["", null],
  [" all ", null],
  ["Auto", "auto"],
  ["7", 7],
  ["2.5", 2.5],
  ["long", undefined],
  ["7 lags", undefined],
])("a horizon typed as %j means %j", (typed, value) => {
  expect(settingValue(typed)).toBe(value);
});
