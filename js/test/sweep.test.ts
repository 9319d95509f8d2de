import { describe, expect, it } from "vitest";
import type { RelayedToKernel, SweepTable, TrialRow } from "../src/protocol/sweep_contract";
import { createInnerModel } from "../src/sweep/inner_model";
import {
  horizonText,
  longestHorizon,
  sortedRows,
  summaryOf,
  takeRows,
  trendPath,
  trendText,
  valueText,
} from "../src/sweep/rows";

const trial = (number: number, changes: Partial<TrialRow> = {}): TrialRow => ({
  number,
  values: [],
  status: "done",
  batch: 100,
  loss: null,
  horizon: null,
  at_least: false,
  said: "",
  hint: "",
  trend: [],
  here: true,
  ...changes,
});

const tableOf = (rows: TrialRow[], columns: string[] = []): SweepTable => ({
  columns,
  batches: 100,
  rows,
  finished: true,
});

const order = (table: SweepTable, column: string, descending = false) =>
  sortedRows(table, column, descending).map(({ number }) => number);

describe("the order of rows", () => {
  it("is that of the grid, or of numbers, and what has none comes last either way", () => {
    const table = tableOf([
      trial(0, { loss: 2 }),
      trial(1, { loss: null }),
      trial(2, { loss: 0.5 }),
      trial(3, { loss: 2 }),
      trial(4, { loss: null }),
    ]);
    expect(order(table, "")).toEqual([0, 1, 2, 3, 4]);
    expect(order(table, "", true)).toEqual([4, 3, 2, 1, 0]);
    expect(order(table, "loss")).toEqual([2, 0, 3, 1, 4]);
    expect(order(table, "loss", true)).toEqual([0, 3, 2, 1, 4]);
  });

  it("compares settings as numbers where they are, and texts as people read them", () => {
    const values = [[10], ["layer 10"], [9], ["layer 2"], [null], [true]];
    const table = tableOf(
      values.map((own, number) => trial(number, { values: own as TrialRow["values"] })),
      ["x"],
    );
    expect(order(table, "x")).toEqual([5, 2, 0, 3, 1, 4]);
    expect(order(table, "no such column")).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("of statuses is from done to cancelled", () => {
    const statuses = ["failed", "waiting", "done", "cancelled", "diverged", "training"] as const;
    const table = tableOf(statuses.map((status, number) => trial(number, { status })));
    expect(order(table, "status")).toEqual([2, 5, 1, 4, 0, 3]);
  });
});

describe("what is said of trials", () => {
  it("counts them by status", () => {
    expect(summaryOf([trial(0), trial(1, { status: "failed" }), trial(2)])).toBe("3 trials: 2 done, 1 failed");
    expect(summaryOf([trial(0, { status: "waiting" })])).toBe("1 trial: 1 waiting");
  });

  it("tells settings, and horizons that are only bounds", () => {
    expect([0.1, 1e30, 64, true, null, "lstm"].map(valueText)).toEqual(["0.1", "10³⁰", "64", "yes", "–", "lstm"]);
    expect(horizonText(trial(0))).toBe("–");
    expect(horizonText(trial(0, { horizon: 12 }))).toBe("12");
    expect(horizonText(trial(0, { horizon: 12.5, at_least: true }))).toBe("≥ 12.5");
    expect(horizonText(trial(0, { horizon: 2.5 }))).toBe("2.5");
    expect(trendText(trial(0))).toBe("Nothing is recorded yet.");
    expect(
      trendText(
        trial(0, {
          trend: [
            [5, 2],
            [50, 16],
          ],
        }),
      ),
    ).toBe("Horizon over training: 2 steps at first, 16 now.");
  });

  it("draws all small plots on one scale", () => {
    const rows = [
      trial(0, {
        trend: [
          [0, 2],
          [100, 4],
        ],
      }),
      trial(1, { trend: [[0, 16]] }),
      trial(2),
    ];
    expect(longestHorizon(rows)).toBe(16);
    expect(longestHorizon([])).toBe(1);
    expect(trendPath(rows[0].trend, 100, 16, 80, 32)).toBe("M0,28L80,24");
    expect(trendPath(rows[1].trend, 100, 16, 80, 32)).toBe("M0,0h0.01");
    expect(trendPath([], 100, 16, 80, 32)).toBe("");
  });

  it("takes rows in place, so that a saved notebook holds them", () => {
    const table = tableOf([trial(0), trial(1)]);
    const { rows } = table;
    takeRows(table, [trial(1, { loss: 3 })]);
    expect(table.rows).toBe(rows);
    expect(rows.map(({ loss }) => loss)).toEqual([null, 3]);
  });
});

describe("the model of the panels within a sweep", () => {
  function make() {
    const sent: RelayedToKernel[] = [];
    const traits = { measure: "norm", _run: { chunks: [] as DataView[] } };
    const inner = createInnerModel(traits, (data) => sent.push(data));
    const heard: unknown[] = [];
    inner.model.on("change:measure", () => heard.push(inner.model.get("measure")));
    inner.model.on("msg:custom", (...args: unknown[]) => heard.push(args));
    return { traits, sent, heard, ...inner };
  }

  it("sends what was set once, and keeps it in the traits that it was made of", () => {
    const { model, traits, sent, heard } = make();
    model.set("measure", "share");
    expect(sent).toEqual([]);
    model.save_changes();
    model.save_changes();
    expect(sent).toEqual([{ method: "update", state: { measure: "share" }, buffer_paths: [] }]);
    expect(traits.measure).toBe("share");
    expect(heard).toEqual(["share"]);
    model.send({ kind: "play" });
    expect(sent[1]).toEqual({ method: "custom", content: { kind: "play" } });
  });

  it("takes what the kernel sends, with buffers in their places", () => {
    const { model, heard, receive } = make();
    const buffer = new DataView(new ArrayBuffer(4));
    receive({ method: "update", state: { _run: { chunks: [null] } }, buffer_paths: [["_run", "chunks", 0]] }, [buffer]);
    expect(model.get("_run").chunks[0]).toBe(buffer);
    receive({ method: "custom", content: { kind: "frame" } }, [buffer]);
    expect(heard).toEqual([[{ kind: "frame" }, [buffer]]]);
  });

  it("passes over echoes of what it set itself, and hears those of others", () => {
    const { model, heard, receive } = make();
    const echo = (measure: string) => receive({ method: "echo_update", state: { measure }, buffer_paths: [] }, []);
    model.set("measure", "share");
    model.save_changes();
    model.set("measure", "mean_abs");
    model.save_changes();
    echo("share");
    expect(model.get("measure")).toBe("mean_abs");
    echo("mean_abs");
    echo("norm");
    expect(heard).toEqual(["share", "mean_abs", "norm"]);
  });
});
