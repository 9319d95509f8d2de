import { describe, expect, it } from "vitest";
import { primaryOf, recordedOf, sidesOf, surfacesOf } from "../dev/network";
import type { Info } from "../src/protocol/contract";
import { createRun } from "../src/state/run";
import { findSurface, infoOf, isRecorded, measureFor, nameOf, parseSurface, suffixOf } from "../src/state/surfaces";
import { at, decodeDetails, detailsChunk } from "./chunks";

const NETWORK = { cell: "lstm", layers: 2, bidirectional: true, hidden: 5 };
const SURFACES = surfacesOf(NETWORK, "c");
const INFO = { surfaces: SURFACES, primary: primaryOf(NETWORK) } as Info;

describe("names of surfaces", () => {
  it.each([
    ["W_hh", "W_hh", 0, "forward", null],
    ["W_ih_l0_reverse[f]", "W_ih", 0, "reverse", "f"],
    ["h_l11", "h", 11, "forward", null],
    ["c_l1_both[17]", "c", 1, "both", "17"],
    ["jacobian_l2_reverse", "jacobian", 2, "reverse", null],
  ])("%s is read and written", (name, base, layer, direction, selector) => {
    const surface = parseSurface(name);
    expect(surface).toEqual({ base, layer, direction, selector });
    expect(nameOf(surface)).toBe(name);
  });

  it.each(["", "V", "W_hh_", "W_hh[", "W_hh_l1_up", "W_hh:share", "W_hh[1"])("%j is none", (name) => {
    expect(() => parseSurface(name)).toThrow("not the name of a surface");
  });

  it("end as PyTorch's parameters do", () => {
    const suffixes = [0, 1].flatMap((layer) =>
      (["forward", "reverse", "both"] as const).map((direction) => suffixOf({ layer, direction })),
    );
    expect(suffixes).toEqual(["", "_l0_reverse", "_l0_both", "_l1", "_l1_reverse", "_l1_both"]);
  });
});

describe("what is recorded", () => {
  it("is every track's recurrent weights, the primary first, and what was chosen", () => {
    expect(recordedOf(NETWORK, "c")).toEqual([
      "W_hh_l1_both",
      "W_hh",
      "W_hh_l0_reverse",
      "W_hh_l1",
      "W_hh_l1_reverse",
      "c",
    ]);
    expect(["c", "c[3]", "h", "W_hh_l1[f]", "W_hh_l1"].map((name) => isRecorded(name, INFO))).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    expect([infoOf("c[3]", INFO)?.name, infoOf("c_l7", INFO)]).toEqual(["c", null]);
  });

  it("has a surface, or a part of its own has, or the kernel is asked for one of the two", () => {
    const state = { run: createRun(), stream: null, surface: "W_hh_l1_both", info: INFO };
    const missing = (surface: string) => findSurface(5, { ...state, surface }).missing?.part;
    expect([missing("W_hh_l1_both"), missing("h"), missing("c")]).toEqual([null, "h", null]);
    state.run.details.add(decodeDetails(detailsChunk([5])));
    expect(missing("c"), "recorded only since it was chosen").toBe("c");
    expect(findSurface(5, { ...state, surface: "W_hh" }).snapshot?.part).toBeNull();
    state.run.details.add(decodeDetails(detailsChunk([5], 0, null, [], "c")));
    expect(findSurface(5, { ...state, surface: "c" }).snapshot?.part).toBe("c");
    expect(state.run.details.has(at(5, null, "h"))).toBe(false);
  });
});

it("losses reach a step from one side or from both", () => {
  const sides = (name: string, layers = 2, bidirectional = true) => {
    const { earlier, later } = sidesOf(name, { ...NETWORK, layers, bidirectional });
    return `${earlier ? "earlier " : ""}${later ? "later" : ""}`.trim();
  };
  expect(["W_hh", "W_hh_l1", "W_hh_l1_reverse", "W_hh_l1_both"].map((name) => sides(name))).toEqual([
    "earlier later",
    "later",
    "earlier",
    "earlier later",
  ]);
  expect([sides("jacobian"), sides("jacobian_l0_reverse"), sides("W_hh", 2, false)]).toEqual([
    "later",
    "earlier",
    "later",
  ]);
});

it("a Jacobian has only its norm", () => {
  expect([measureFor("jacobian_l1", "share"), measureFor("h", "share")]).toEqual(["norm", "share"]);
});
