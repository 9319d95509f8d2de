import { describe, expect, it } from "vitest";
import { createRandom } from "../dev/synthetic";
import { lossFlow, sizeAt, spotOf, strength, within } from "../src/geometry/cell_flow";
import { CELL_KINDS, kindOf, layOutCell } from "../src/geometry/cell_picture";
import { shownDecades } from "../src/geometry/log_axis";
import { describeSpot, edgeName, formulaOf, gradientName } from "../src/panels/cell_words";
import type { CellFlow } from "../src/protocol/chunks";
import { indexOf, lagsOf } from "../src/protocol/lags";

const NAMES = {
  elman: ["h", "later_h", "loss", "a", "h_before", "x"],
  lstm: ["h", "later_h", "loss", "o", "f", "i", "g", "tanh_c", "later_c", "c", "c_before", "h_before", "x"],
  gru: ["h", "later_h", "later_direct", "loss", "r", "z", "n", "reset_product", "direct", "h_before", "x"],
};

function flowOf(
  names: string[],
  size: (name: string, step: number, loss: number) => number,
  { steps = 6, lags = 6, firstLag = 0, cell = "lstm" as string | null } = {},
): CellFlow {
  const edges = names.map((name) => {
    const sizes = new Float32Array(steps * lags);
    for (let step = 0; step < steps; step += 1) {
      const { first, end } = lagsOf(step, steps, { firstLag, lags });
      for (let lag = first; lag < end; lag += 1)
        sizes[indexOf(step, lag, { firstLag, lags })] = size(name, step, step + lag);
    }
    return { name, from: "", to: "", sizes };
  });
  return { batch: 0, stream: null, suffix: "", steps, lags, firstLag, edges, cell };
}

const nothing = { target: null, pinned: null };

describe("what a loss sent through a cell", () => {
  const flow = flowOf(["h", "a"], (name, step, loss) =>
    loss === 5 ? 0 : 2 ** (step - loss) * (name === "a" ? 0.5 : 1),
  );

  it("is found by step and loss, on every edge", () => {
    const sent = lossFlow(4, flow);
    expect([sent.first, sent.end]).toEqual([0, 5]);
    expect([...sent.sizes("h")]).toEqual([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
    expect([...sent.sizes("a")]).toEqual([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2]);
    expect(sent.extent).toEqual([1 / 32, 1]);
    expect(sizeAt(flow.edges[1], { loss: 4, step: 2 }, flow)).toBe(1 / 8);
    expect([...sent.sizes("none")]).toEqual([]);
  });

  it("reaches only the lags that are there, on both sides", () => {
    const both = flowOf(["h"], (_, step, loss) => 1 + step + 10 * loss, { steps: 6, lags: 3, firstLag: -1 });
    const sent = lossFlow(3, both);
    expect([sent.first, sent.end]).toEqual([2, 5]);
    expect([...sent.sizes("h")]).toEqual([33, 34, 35]);
    expect(within(0, 3, both)).toBe(2);
    expect(within(9, 3, both)).toBe(4);
  });

  it("is wide where it is large, in decades below the largest of the loss", () => {
    expect(strength(1, 1, 4)).toBe(1);
    expect(strength(0.01, 1, 4)).toBeCloseTo(0.5);
    expect(strength(1e-9, 1, 4)).toBe(0);
    for (const none of [0, Number.NaN]) expect(strength(none, 1, 4)).toBe(0);
    expect(shownDecades(lossFlow(4, flow).extent)).toBe(2);
    const steep = flowOf(["h"], (_, step, loss) => 10 ** (3 * (step - loss)));
    expect(shownDecades(lossFlow(1, steep).extent)).toBe(3);
    expect(shownDecades(lossFlow(5, steep).extent)).toBe(6);
  });
});

describe("where the cell is looked at", () => {
  const flow = flowOf(["h"], () => 1);

  it("is the newest loss and its own step, until something is pointed at or pinned", () => {
    expect(spotOf(nothing, null, 5, flow)).toEqual({ loss: 5, step: 5 });
    expect(spotOf({ target: null, pinned: 3 }, null, 5, flow)).toEqual({ loss: 3, step: 3 });
    const part = { kind: "part", step: 1, lag: 2, panel: "gradients" } as const;
    expect(spotOf({ target: part, pinned: 5 }, null, 5, flow)).toEqual({ loss: 3, step: 1 });
    expect(spotOf({ target: { kind: "loss", step: 2 }, pinned: 5 }, null, 5, flow)).toEqual({ loss: 2, step: 2 });
  });

  it("stays at the step that was walked to as long as the loss is the same", () => {
    const kept = { loss: 4, step: 1 };
    expect(spotOf({ target: null, pinned: 4 }, kept, 5, flow)).toEqual(kept);
    expect(spotOf({ target: null, pinned: 3 }, kept, 5, flow)).toEqual({ loss: 3, step: 3 });
    expect(spotOf(nothing, { loss: 5, step: 2 }, 5, flow)).toEqual({ loss: 5, step: 2 });
  });

  it("is a step that the loss reaches", () => {
    const short = flowOf(["h"], () => 1, { lags: 2 });
    expect(spotOf(nothing, { loss: 5, step: 0 }, 5, short)).toEqual({ loss: 5, step: 4 });
    const beyond = { kind: "part", step: 2, lag: null, panel: "gradients" } as const;
    expect(spotOf({ target: beyond, pinned: null }, null, 5, short)).toEqual({ loss: 5, step: 5 });
  });
});

describe("the picture of a cell", () => {
  it.each(CELL_KINDS)("has every edge of the %s cell, in its words and its lines", (kind) => {
    const flow = flowOf(NAMES[kind], () => 1, { cell: kind === "elman" ? "relu" : kind });
    expect(kindOf(flow)).toBe(kind);
    const { edges } = layOutCell(kind, 600, 1);
    expect(edges.map(({ name }) => name).sort()).toEqual([...NAMES[kind]].sort());
    for (const { name, strokes } of edges) {
      expect(strokes.some(({ arrow }) => arrow)).toBe(true);
      expect(edgeName(name, kind)).not.toBe(name);
      expect(formulaOf(name, kind, 1)).not.toBe("");
    }
  });

  it.each(CELL_KINDS)("keeps the %s cell in its room, mirrored where it reads backward", (kind) => {
    for (const room of [380, 640, 1000]) {
      const { width, height, edges, marks } = layOutCell(kind, room, 1);
      expect(width).toBeLessThanOrEqual(room);
      const points = edges.flatMap(({ strokes }) => strokes.flatMap((stroke) => stroke.points));
      for (const { x, y } of [...points, ...marks]) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(width);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(height);
      }
      const mirrored = layOutCell(kind, room, -1).marks;
      marks.forEach(({ x }, index) => {
        expect(Math.abs(width - x - mirrored[index].x)).toBeLessThanOrEqual(1);
      });
    }
  });

  it.each(CELL_KINDS)("has no two numbers of the %s cell on one another, however narrow", (kind) => {
    const { edges } = layOutCell(kind, 380, 1);
    const [wide, tall] = [50, 12];
    const boxes = edges.map(({ label: { x, y, side } }) => {
      const left = { above: x - wide / 2, below: x - wide / 2, on: x - wide / 2, left: x - 11 - wide, right: x + 11 }[
        side
      ];
      const top = { above: y - 22, below: y + 11, on: y - 6, left: y - 6, right: y - 6 }[side];
      return { left, top };
    });
    boxes.forEach((a, index) => {
      for (const b of boxes.slice(index + 1)) {
        expect(Math.abs(a.left - b.left) >= wide || Math.abs(a.top - b.top) >= tall).toBe(true);
      }
    });
  });

  it("ends its arrows short of what they point at", () => {
    const { edges, marks } = layOutCell("lstm", 600, 1);
    const arrow = edges.find(({ name }) => name === "later_c")?.strokes[0].arrow;
    const state = marks.find(({ kind, text }) => kind === "join" && text === "c");
    expect(arrow?.towards).toEqual([-1, 0]);
    expect((arrow?.at.x ?? 0) - (state?.x ?? 0)).toBe(state?.reach[0]);
  });

  it("is not drawn for a cell that is not ours, not even between the same edges", () => {
    expect(kindOf(flowOf(NAMES.elman, () => 1, { cell: null }))).toBeNull();
    expect(kindOf(flowOf(NAMES.elman, () => 1, { cell: "tanh" }))).toBe("elman");
    expect(kindOf(flowOf([], () => 1, { cell: null }))).toBeNull();
    expect(edgeName("spring", null)).toBe("spring");
  });
});

describe("the words for a cell", () => {
  const spot = { loss: 12, step: 9 };

  it("name the gradient with its steps, and the formula in general", () => {
    expect(gradientName("c", "lstm", spot, 1)).toBe("∂L₁₂/∂c₉");
    expect(gradientName("c_before", "lstm", { loss: 3, step: 0 }, 1)).toBe("∂L₃/∂c₋₁");
    expect(gradientName("h_before", "elman", spot, -1)).toBe("∂L₁₂/∂h₁₀");
    expect(gradientName("f", "lstm", spot, 1)).toBe("∂L₁₂/∂a(f₉)");
    expect(formulaOf("c_before", "lstm", 1)).toBe("fⱼ ⊙ ∂Lₜ/∂cⱼ");
    expect(formulaOf("later_c", "lstm", -1)).toBe("fⱼ₋₁ ⊙ ∂Lₜ/∂cⱼ₋₁");
  });

  it("say what is left and what the step passes on", () => {
    const flow = flowOf(NAMES.lstm, (name, step, loss) => {
      const part = { c: 1, c_before: 0.75, h: 0.1, h_before: 0.04 }[name] ?? 0.01;
      return part * 0.5 ** (loss - step);
    });
    const say = (step: number) => describeSpot({ loss: 4, step }, flow, lossFlow(4, flow), "lstm");
    expect(say(2)).toBe(
      "The loss of step 4 at step 2, 2 steps back: of its largest gradient, 25.0 % at c and 2.5 % at h. " +
        "Here along c the forget gate passes on 75.0 %; through W_hh the previous h gets 40.0 % of what h has.",
    );
    expect(say(4)).toContain("The loss of step 4 at its own step");
  });

  it("say that nothing is left, or that nothing was sent", () => {
    const gone = flowOf(NAMES.gru, (_, step, loss) => (step < loss ? 0 : 1));
    expect(describeSpot({ loss: 4, step: 3 }, gone, lossFlow(4, gone), "gru")).toMatch(/nothing is left/);
    const none = flowOf(NAMES.gru, () => 0);
    expect(describeSpot({ loss: 4, step: 3 }, none, lossFlow(4, none), "gru")).toMatch(/sent nothing/);
  });

  it("of any sizes are finite sentences", () => {
    const random = createRandom(1);
    const flow = flowOf(NAMES.gru, () => [0, 1e-30, 1, Number.NaN, Number.POSITIVE_INFINITY][Math.floor(5 * random())]);
    for (let loss = 0; loss < 6; loss += 1) {
      for (let step = 0; step <= loss; step += 1) {
        expect(describeSpot({ loss, step }, flow, lossFlow(loss, flow), "gru")).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  });
});

describe("every edge of every cell", () => {
  const names = (kind: (typeof CELL_KINDS)[number]) =>
    Object.fromEntries(NAMES[kind].map((name) => [name, gradientName(name, kind, { loss: 7, step: 5 }, 1)]));
  const formulas = (kind: (typeof CELL_KINDS)[number]) =>
    Object.fromEntries(NAMES[kind].map((name) => [name, formulaOf(name, kind, 1)]));
  const shared = {
    loss: "what the read-out, or the layer above, sends to hⱼ",
    h_before: "W_hhᵀ δⱼ",
    x: "W_ihᵀ of what reaches the pre-activations at ⱼ",
    later_h: "W_hhᵀ δⱼ₊₁",
  };

  it("is the gradient with respect to what flows along it", () => {
    const ends = { h: "∂L₇/∂h₅", later_h: "∂L₇/∂h₅", loss: "∂L₇/∂h₅", h_before: "∂L₇/∂h₄", x: "∂L₇/∂x₅" };
    expect(names("elman")).toEqual({ ...ends, a: "∂L₇/∂a₅" });
    const gates = (letters: string) => Object.fromEntries(Array.from(letters, (x) => [x, `∂L₇/∂a(${x}₅)`]));
    const cs = { c: "∂L₇/∂c₅", tanh_c: "∂L₇/∂c₅", later_c: "∂L₇/∂c₅", c_before: "∂L₇/∂c₄" };
    expect(names("lstm")).toEqual({ ...ends, ...gates("ifgo"), ...cs });
    const direct = { direct: "∂L₇/∂h₄", later_direct: "∂L₇/∂h₅", reset_product: "∂L₇/∂s₅" };
    expect(names("gru")).toEqual({ ...ends, ...gates("rzn"), ...direct });
  });

  it("has the formula of its cell's backward step", () => {
    expect(formulas("elman")).toEqual({ ...shared, h: "W_hhᵀ δⱼ₊₁ + loss", a: "f′(aⱼ) ⊙ ∂Lₜ/∂hⱼ" });
    expect(formulas("lstm")).toEqual({
      ...shared,
      h: "W_hhᵀ δⱼ₊₁ + loss",
      o: "σ′ ⊙ tanh(cⱼ) ⊙ ∂Lₜ/∂hⱼ",
      f: "σ′ ⊙ cⱼ₋₁ ⊙ ∂Lₜ/∂cⱼ",
      i: "σ′ ⊙ gⱼ ⊙ ∂Lₜ/∂cⱼ",
      g: "(1 − g²) ⊙ iⱼ ⊙ ∂Lₜ/∂cⱼ",
      tanh_c: "oⱼ ⊙ (1 − tanh² cⱼ) ⊙ ∂Lₜ/∂hⱼ",
      later_c: "fⱼ₊₁ ⊙ ∂Lₜ/∂cⱼ₊₁",
      c: "oⱼ ⊙ (1 − tanh² cⱼ) ⊙ ∂Lₜ/∂hⱼ + fⱼ₊₁ ⊙ ∂Lₜ/∂cⱼ₊₁",
      c_before: "fⱼ ⊙ ∂Lₜ/∂cⱼ",
    });
    expect(formulas("gru")).toEqual({
      ...shared,
      h: "W_hhᵀ δⱼ₊₁ + zⱼ₊₁ ⊙ ∂Lₜ/∂hⱼ₊₁ + loss",
      later_direct: "zⱼ₊₁ ⊙ ∂Lₜ/∂hⱼ₊₁",
      direct: "zⱼ ⊙ ∂Lₜ/∂hⱼ",
      z: "σ′ ⊙ (hⱼ₋₁ − nⱼ) ⊙ ∂Lₜ/∂hⱼ",
      n: "(1 − n²) ⊙ (1 − zⱼ) ⊙ ∂Lₜ/∂hⱼ",
      reset_product: "rⱼ ⊙ ∂Lₜ/∂nⱼ, with s = W_hn hⱼ₋₁ + b_hn",
      r: "σ′ ⊙ sⱼ ⊙ ∂Lₜ/∂nⱼ",
    });
  });
});
