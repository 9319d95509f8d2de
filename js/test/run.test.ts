import { expect, it } from "vitest";
import { CLIPPED, DIVERGED } from "../src/protocol/chunks";
import { growingColumn } from "../src/state/growing_column";
import { createRun } from "../src/state/run";
import { at, decodeDetails, decodeOverview, detailsChunk, overviewChunk, runOf } from "./chunks";

it("has the numbers of every batch, whichever chunk held it", () => {
  const run = runOf([0, 10], [20], [30, 40, 50]);
  expect(run.length).toBe(6);
  expect(Array.from(run.batches())).toEqual([0, 10, 20, 30, 40, 50]);
  expect(run.targets(4)).toEqual([120, 123]);
});

it("leaves out what it has already", () => {
  const run = runOf([0, 10]);
  run.append(decodeOverview(overviewChunk([0, 10, 20, 30], DIVERGED)), 2);
  expect(Array.from(run.batches())).toEqual([0, 10, 20, 30]);
  expect(Array.from(run.divergedBatches())).toEqual([2, 3]);
  expect([run.series("loss").values().length, run.length]).toEqual([4, 4]);
  run.append(decodeOverview(overviewChunk([0])), 1);
  expect(run.length).toBe(4);
});

it("knows nothing of details but what it is given", () => {
  const run = runOf([0, 10]);
  expect(run.details.get(at(10))).toBeNull();
  run.details.add(decodeDetails(detailsChunk([0, 10])));
  expect(run.details.get(at(10))?.batch).toBe(10);
});

it("finds the nearest recorded batch", () => {
  const run = runOf([0, 10, 20]);
  expect([-5, 0, 4, 6, 20, 99].map((batch) => run.nearest(batch))).toEqual([0, 0, 0, 1, 2, 2]);
  expect(createRun().nearest(3)).toBe(-1);
});

it("knows which batches diverged, and every maximum", () => {
  const run = createRun();
  run.append(decodeOverview(overviewChunk([0], 0, 0.5)));
  run.append(decodeOverview(overviewChunk([1], 1, Number.NaN)));
  expect([run.diverged(0), run.diverged(1)]).toEqual([false, true]);
  expect(Array.from(run.divergedBatches())).toEqual([1]);
  expect(Array.from(run.series("max:W_hh:share").values())).toEqual([0.5, Number.NaN]);
});

it("has columns that begin later than the run, and not a number before and without them", () => {
  const run = runOf([0, 10]);
  const later = decodeOverview(overviewChunk([20], 0, 3));
  run.append({ ...later, columns: new Map([...later.columns, ["max:W_ih", Float32Array.of(7)]]) });
  run.append(decodeOverview(overviewChunk([30])));
  expect(Array.from(run.series("max:W_ih").values())).toEqual([Number.NaN, Number.NaN, 7, Number.NaN]);
  expect(Array.from(run.series("max:W_hh").values())).toEqual([1, 1, 3, 1]);
  expect(run.series("max:c").values()).toHaveLength(4);
  expect([run.has("max:W_ih"), run.has("max:c")]).toEqual([true, false]);
});

it("grows by doubling, so that appending one by one copies little", () => {
  const created: number[] = [];
  const column = growingColumn((capacity) => {
    created.push(capacity);
    return new Int32Array(capacity);
  });
  for (let value = 0; value < 1000; value += 1) column.append(Int32Array.of(value));
  expect(created).toEqual([64, 128, 256, 512, 1024]);
  expect(Array.from(column.values().slice(998))).toEqual([998, 999]);
});

it("counts the batches whose update was clipped", () => {
  const run = createRun();
  for (const [batch, flags] of [0, CLIPPED, DIVERGED, CLIPPED | DIVERGED, CLIPPED].entries()) {
    run.append(decodeOverview(overviewChunk([batch], flags)));
  }
  expect([0, 1, 2, 3, 4].map(run.clipped)).toEqual([false, true, false, true, true]);
  expect([run.countClipped(0, 5), run.countClipped(2, 4), run.countClipped(2, 3)]).toEqual([3, 1, 0]);
});
