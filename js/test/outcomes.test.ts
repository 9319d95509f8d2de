import { describe, expect, it } from "vitest";
import type { ColumnData } from "../dev/chunks";
import { createColumns, LEFT } from "../src/geometry/columns";
import { describeDecay, sends } from "../src/geometry/decay";
import { binCells, largestPieces } from "../src/geometry/heat";
import { lossRooms } from "../src/geometry/loss_rooms";
import { scaleOf } from "../src/geometry/value_scale";
import { fittingText } from "../src/panels/plot";
import type { Info, Quantity, Task } from "../src/protocol/contract";
import { createRun } from "../src/state/run";
import type { State } from "../src/state/store";
import {
  averageText,
  describeOutcome,
  explainLosses,
  hasLoss,
  inputText,
  lossText,
  predictionText,
  targetText,
} from "../src/words/outcomes";
import { axisOf, axisTitles, overviewSurface, QUANTITY_TEXT, seriesOf, valueText } from "../src/words/quantities";
import { taskOf } from "../src/words/task";
import { decodeDetails, decodeOverview, detailsChunk, overviewChunk, seriesOf as seriesFrom } from "./chunks";
import { fakeModel } from "./fakes";

const info: Info = fakeModel().traits._info;
const adding: Task = {
  ...taskOf(info),
  kind: "values",
  loss_name: "mean squared error",
  loss_unit: "",
  inputs: "values",
  input_entries: ["number", "marker"],
  output_entries: ["sum"],
  fresh: true,
  baseline: 1 / 6,
  baseline_name: "always says 1",
};
const named = (task: Task | null, labels: string[] = []) => ({ labels, info: { ...info, task } });

const stateOf = (task: Task | null) => ({ info: { ...info, task } }) as State;

const last: ColumnData = ["counted", "f4", [1, 3], [0, 0, 1]];
const values: ColumnData[] = [
  last,
  ["target_value", "f4", [1, 3, 1], [0, 0, 1.25]],
  ["prediction_value", "f4", [1, 3, 1], [0.5, 0.75, 1.5]],
  ["input_value", "f4", [1, 3, 2], [0.25, 1, 0.5, 0, 0.125, 1]],
];
const sum = decodeDetails(detailsChunk([0], 0, null, values, null, false)).read(0);
const text = decodeDetails(detailsChunk([0])).read(0);
const classes = decodeDetails(detailsChunk([0], 0, null, [last, ["input", "i4", [1, 3], [1, 0, 1]]])).read(0);
const average = decodeDetails(detailsChunk([0], 0, null, [last], null, false)).read(0);

describe("what went in and came out", () => {
  it("is said of values, of several by name", () => {
    expect(targetText(sum, 2, named(adding))).toBe("1.250");
    expect(predictionText(sum, 1, named(adding))).toBe("0.7500");
    expect(inputText(sum, 0, named(adding).info)).toBe("number 0.2500, marker 1.000");
    expect(describeOutcome(sum, 2, named(adding))).toEqual({
      title: "Step 2",
      rows: [
        ["input", "number 0.1250, marker 1.000"],
        ["true value", "1.250"],
        ["predicted", "1.500"],
        ["loss", "3.000"],
      ],
    });
  });

  it("is said of classes by their names, with inputs that have names of their own", () => {
    const task: Task = { ...taskOf(info), inputs: "classes", input_vocabulary: ["E", " "] };
    expect(inputText(classes, 0, named(task).info)).toBe("‘␣’");
    expect(describeOutcome(classes, 2, named(task, ["x", "y", "z"])).rows).toEqual([
      ["input", "‘␣’"],
      ["true label", "z"],
      ["most likely", "z"],
      ["probability of the true label", "0.5000"],
      ["loss", "3.000 nats"],
    ]);
    expect(inputText(text, 0, info)).toBe("");
  });

  it("is said to have no loss where there is none", () => {
    expect([0, 1, 2].map((step) => hasLoss(sum, step))).toEqual([false, false, true]);
    expect(targetText(sum, 0, named(adding))).toBe("no loss");
    expect(describeOutcome(classes, 0, named(null, ["x"])).title).toBe("Step 0: no loss here");
    expect(explainLosses(sum)).toContain("Only step 2 has a loss");
    expect(explainLosses(text)).toBe("");
    expect(explainLosses({ ...sum, counted: Float32Array.of(0, 1, 1) })).toContain("Only steps 1–2 have a loss");
    expect(explainLosses({ ...sum, counted: Float32Array.of(1, 0, 1) })).toContain("Only 2 of 3 steps have a loss");
    expect(explainLosses({ ...sum, counted: new Float32Array(3) })).toContain("No step of this window has a loss");
  });

  it("of an average is how many streams were right, of those that have a loss, or that it is a mean", () => {
    const four = { ...info, batch_size: 4 };
    expect(average.average).toBe(true);
    expect(averageText(average, 2, four)).toBe("mean of 4 streams");
    expect(averageText(average, 0, four)).toBe("no loss");
    const some = { ...average, accuracy: Float32Array.of(0, 0, 0.25), counted: Float32Array.of(0, 0, 0.5) };
    expect(averageText(some, 2, four)).toBe("1 of 2 streams right");
    expect([sum, text, classes].map((snapshot) => snapshot.average)).toEqual([false, false, false]);
  });

  it("has a loss with the unit that it has", () => {
    expect([lossText(0.5, named(adding).info), lossText(0.5, info)]).toEqual(["0.500", "0.500 nats"]);
    expect(axisOf("loss", stateOf(adding))).toBe("mean squared error");
    expect(axisOf("loss", stateOf(null))).toBe("loss (nats per step)");
    expect(axisOf("grad_norm", stateOf(adding))).toContain("norm of the whole gradient");
    expect(valueText("loss", 0.25, named(adding).info)).toBe("0.250");
  });
});

describe("steps without a loss", () => {
  it("send nothing, which is not vanishing", () => {
    expect(describeDecay(0, sum, "W_hh")).toContain("not vanishing");
    expect(describeDecay(2, sum, "W_hh")).not.toContain("no loss");
    expect(sends(0, sum, { ...sum.items("W_hh", "norm"), total: null })).toBe(true);
  });

  it("have no cells in the heat map", () => {
    const items = sum.items("W_hh", "norm");
    const [columns, rows] = [binCells(3, 3), binCells(3, 3)];
    const view = { first: 0, count: 3 };
    const all = largestPieces(items.pieces, 3, items, "loss", view, columns, rows);
    const there = largestPieces(items.pieces, 3, items, "loss", view, columns, rows, (loss) => hasLoss(sum, loss));
    expect(Array.from(all, (piece) => piece >= 0)).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1].map(Boolean));
    expect(Array.from(there, (piece) => piece >= 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1].map(Boolean));
  });
});

describe("the scale of the loss", () => {
  it("has room for the baseline above all bars, and below them", () => {
    const linear = scaleOf(seriesFrom([0.01, 0.02]), 0, 2, { log: false, whole: false, level: 0.2 }, 100, 0);
    expect(linear.y(0.2)).toBeGreaterThan(0);
    expect(linear.y(0.2)).toBeLessThan(20);
    const log = scaleOf(seriesFrom([1, 2]), 0, 2, { log: true, whole: false, level: 0.1 }, 100, 0);
    expect(log.y(0.1)).toBeLessThan(100);
  });
});

describe("outcomes of classes", () => {
  it("are named, those that the labels do not have by their number", () => {
    const { labels, info: of } = named(null, ["x", "y"]);
    expect([0, 1, 2].map((step) => targetText(text, step, { labels, info: of }))).toEqual(["‘x’", "‘y’", "‘#2’"]);
    expect(predictionText(text, 1, { labels, info: of })).toBe("‘y’");
    const entries: Task = { ...adding, output_entries: [] };
    const pair = {
      ...sum,
      values: { target: new Float32Array(6), prediction: Float32Array.of(0, 0, 1, 2, 0, 0), size: 2 },
    };
    expect(predictionText(pair, 1, named(entries)), "entries without names are counted").toBe("0 1.000, 1 2.000");
  });

  it("of an average are how many streams have a loss, where nothing is known of who was right", () => {
    const some = { ...average, counted: Float32Array.of(0, 0, 0.5) };
    expect(averageText(some, 2, { ...info, batch_size: 4 })).toBe("2 streams with a loss");
    expect(describeOutcome(some, 2, { labels: [], info: { ...info, batch_size: 4 } })).toMatchObject({
      title: "Step 2: 2 streams with a loss",
    });
  });

  it("have as much room for a number as there is up to the loss before", () => {
    const columns = createColumns(1000, 3);
    const rooms = (snapshot: typeof text) => lossRooms(snapshot, columns).map(({ step, room }) => [step, room]);
    expect(rooms(text)).toEqual([0, 1, 2].map((step) => [step, columns.width]));
    expect(rooms(sum)).toEqual([[2, 3 * columns.width]]);
    expect(lossRooms(text, createColumns(1000, 1, 2))).toEqual([
      { step: 2, room: createColumns(1000, 1, 2).right - LEFT },
    ]);
  });
});

describe("what there is one number of for each batch", () => {
  const run = createRun();
  run.append(decodeOverview(overviewChunk([0, 10], 0, 3)));
  const state = { ...stateOf(null), run, surface: "W_hh", measure: "share" } as State;

  it("is named with its unit", () => {
    const said = Object.entries({
      max_gradient: [0.5, "0.5000"],
      mean_gradient: [2, "2.000"],
      grad_norm: [0, "0"],
      update_norm: [Number.POSITIVE_INFINITY, "∞"],
      loss: [1.5, "1.500 nats per step"],
      accuracy: [0.25, "25.0 %"],
      horizon_length: [3, "3 steps"],
      spectral_radius: [Number.NaN, "not worked out for this batch"],
      largest_singular_value: [1, "1.000"],
      saturation: [Number.NaN, "not a number"],
      unit_median: [1, "1.000"],
      unit_p90: [1, "1.000"],
      unit_max: [1, "1.000"],
    } satisfies Record<Quantity, [number, string]>);
    expect(said.map(([name]) => name).sort()).toEqual(Object.keys(QUANTITY_TEXT).sort());
    for (const [name, [value, words]] of said) expect(valueText(name as Quantity, value as number, info)).toBe(words);
    const horizon = (steps: number) => valueText("horizon_length", steps, info);
    expect([14.5, 1, Number.NaN].map(horizon)).toEqual(["14.5 steps", "1 step", "not a number"]);
  });

  it("is of the chosen surface in the chosen measure, if it is of a surface", () => {
    expect(Array.from(seriesOf("max_gradient", state).values())).toEqual([3, 3]);
    expect(Array.from(seriesOf("mean_gradient", state).values())).toEqual([1.5, 1.5]);
    expect(Array.from(seriesOf("loss", state).values())).toEqual([1, 1]);
    expect([overviewSurface(state), overviewSurface({ ...state, surface: "h" })]).toEqual(["W_hh", "W_hh"]);
  });

  it("names the surface where the network has several", () => {
    expect(axisOf("max_gradient", state)).toBe("tallest bar of the batch (nats per unit weight)");
    const two = { ...state, info: { ...info, num_layers: 2 } };
    expect(axisOf("max_gradient", two)).toBe("tallest bar of ∂L/∂W_hh, layer 1 of 2 (nats per unit weight)");
    expect(axisOf("grad_norm", two)).toBe("norm of the whole gradient, before clipping");
    const [long, short] = axisTitles("max_gradient", two);
    expect(fittingText([long, short], 400)).toBe(long);
    expect(fittingText([long, short], 300)).toBe(short);
    expect(short).toBe("tallest bar of ∂L/∂W_hh, layer 1 of 2");
    expect(fittingText([long, short], 112)).toBe("tallest bar of ∂L/∂…");
    expect(fittingText([long, short], 0)).toBe("…");
  });
});
