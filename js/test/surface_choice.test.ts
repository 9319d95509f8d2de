import { describe, expect, it } from "vitest";
import { gatesOf, primaryOf, surfacesOf } from "../dev/network";
import type { Info } from "../src/protocol/contract";
import { changed, optionsOf, unitTyped } from "../src/state/surface_choice";
import { companionOf, parseSurface, zeroStep } from "../src/state/surfaces";
import { axisTexts, distinctName, placeOf, surfaceName, wholeName } from "../src/words/surface_text";

function infoOf(cell: string, layers = 1, bidirectional = false): Info {
  const network = { cell, layers, bidirectional, hidden: 20 };
  const primary = primaryOf(network);
  const surfaces = surfacesOf(network, primary);
  return {
    num_layers: layers,
    bidirectional,
    surfaces,
    primary,
    gates: gatesOf(network),
    units: 20,
  } as unknown as Info;
}

const LSTM = infoOf("lstm", 3, true);

describe("what can be chosen", () => {
  it("is what the network has", () => {
    expect(optionsOf("W_hh_l2_both", LSTM)).toEqual({
      bases: ["W_hh", "W_ih", "h", "c", "jacobian"],
      layers: [0, 1, 2],
      directions: ["forward", "reverse", "both"],
      gates: ["i", "f", "g", "o"],
      units: 20,
    });
    expect(optionsOf("c_l1", LSTM)).toMatchObject({ gates: [], units: 20 });
    expect(optionsOf("jacobian", LSTM)).toMatchObject({ directions: ["forward", "reverse"], gates: [], units: 0 });
    expect(optionsOf("W_hh", infoOf("tanh"))).toEqual({
      bases: ["W_hh", "W_ih", "h", "jacobian"],
      layers: [0],
      directions: ["forward"],
      gates: [],
      units: 20,
    });
  });

  it("leads to a surface, and keeps of the one before what there is", () => {
    expect(changed("W_hh_l2_both", { layer: 0 }, LSTM)).toBe("W_hh_l0_both");
    expect(changed("W_hh_l2_both", { base: "jacobian" }, LSTM)).toBe("jacobian_l2");
    expect(changed("W_hh_l1[f]", { base: "W_ih" }, LSTM)).toBe("W_ih_l1[f]");
    expect(changed("W_hh_l1[f]", { base: "c" }, LSTM)).toBe("c_l1");
    expect(changed("W_hh_l1[7]", { base: "h" }, LSTM)).toBe("h_l1[7]");
    expect(changed("h_l1[7]", { base: "jacobian" }, LSTM)).toBe("jacobian_l1");
    expect(changed("W_hh", { selector: "f" }, infoOf("gru"))).toBe("W_hh");
    expect(changed("W_hh[z]", { selector: null }, infoOf("gru"))).toBe("W_hh");
  });

  it.each([
    ["", null],
    [" all ", null],
    ["0", "0"],
    ["19", "19"],
    ["20", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["x", undefined],
  ])("a unit typed as %j is %j", (typed, unit) => {
    expect(unitTyped(typed, 20)).toBe(unit);
  });
});

describe("what surfaces are called", () => {
  it("says where they are, as far as the network has more than one place", () => {
    expect(surfaceName("W_hh", infoOf("tanh"))).toBe("∂L/∂W_hh");
    expect(surfaceName("W_ih[f]", infoOf("lstm"))).toBe("∂L/∂W_ih, gate f");
    expect(surfaceName("c_l1_reverse[17]", LSTM)).toBe("∂L_t/∂c_j, layer 2 of 3, reverse, unit 17");
    expect(surfaceName("jacobian_l2", LSTM)).toBe("‖∂h_t/∂h_j‖, layer 3 of 3, forward");
    expect(placeOf(parseSurface("W_hh_l0_both"), infoOf("gru", 1, true))).toBe("both directions");
    expect(distinctName("W_hh", infoOf("lstm"))).toBe("");
    expect(distinctName("W_hh[f]", infoOf("lstm"))).toBe("∂L/∂W_hh, gate f");
    expect(distinctName("W_hh_l1", infoOf("gru", 2))).toBe("∂L/∂W_hh, layer 2 of 2");
    expect([wholeName("W_ih"), wholeName("h_l1")]).toEqual(["‖∂L/∂W_ih‖", "‖Σ_t ∂L_t/∂h_j‖"]);
  });

  it("is on the axis, in shorter words where there is less room", () => {
    const alone = infoOf("tanh");
    expect(axisTexts("W_hh", "norm", alone)[0]).toBe("norm of each piece of ∂L/∂W_hh (nats per unit weight)");
    expect(axisTexts("W_hh", "share", alone)[0]).toContain("signed share of each piece in ‖∂L/∂W_hh‖");
    expect(axisTexts("h", "mean_abs", alone)[0]).toBe("mean |entry| of ∂L_t/∂h_j (nats per unit of h)");
    for (const name of ["W_hh_l2_both", "c_l1[3]", "jacobian"]) {
      for (const measure of ["norm", "mean_abs", "share"] as const) {
        const lengths = axisTexts(name, measure, LSTM).map(({ length }) => length);
        expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
      }
    }
  });

  it("an LSTM's two memories belong together", () => {
    expect([companionOf("h_l1", LSTM), companionOf("c_l2_both[4]", LSTM)]).toEqual(["c_l1", "h_l2_both[4]"]);
    expect([companionOf("h", infoOf("gru")), companionOf("W_hh", LSTM)]).toEqual([null, null]);
  });

  it("zeros are those of the state that the weights read, and of nothing else", () => {
    const first = { zeroState: true, steps: 9 };
    expect(["W_hh", "W_hh_l0_reverse", "W_hh_l0_both", "W_ih", "h"].map((name) => zeroStep(name, first))).toEqual([
      0,
      8,
      null,
      null,
      null,
    ]);
    expect(zeroStep("W_hh_l2", { ...first, zeroState: false })).toBeNull();
  });
});
