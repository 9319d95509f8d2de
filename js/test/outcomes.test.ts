import { describe, expect, it } from "vitest";
import type { ColumnData } from "../dev/chunks";
import type { Info, Task } from "../src/contract";
import { describeDecay, sends } from "../src/decay";
import { growingColumn } from "../src/growing_column";
import { binCells, largestPieces } from "../src/heat";
import {
  averageText,
  describeOutcome,
  explainLosses,
  hasLoss,
  inputText,
  lossText,
  predictionText,
  targetText,
} from "../src/outcomes";
import { axisOf, valueText } from "../src/quantities";
import { createSeries } from "../src/series";
import type { State } from "../src/store";
import { taskOf } from "../src/task";
import { scaleOf } from "../src/value_scale";
import { decodeDetails, detailsChunk } from "./chunks";
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
  function series(...numbers: number[]) {
    const grown = growingColumn((capacity) => new Float32Array(capacity));
    grown.append(Float32Array.from(numbers));
    return createSeries(grown);
  }

  it("has room for the baseline above all bars, and below them", () => {
    const linear = scaleOf(series(0.01, 0.02), 0, 2, { log: false, whole: false, level: 0.2 }, 100, 0);
    expect(linear.y(0.2)).toBeGreaterThan(0);
    expect(linear.y(0.2)).toBeLessThan(20);
    const log = scaleOf(series(1, 2), 0, 2, { log: true, whole: false, level: 0.1 }, 100, 0);
    expect(log.y(0.1)).toBeLessThan(100);
  });
});
