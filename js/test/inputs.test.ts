import { expect, it } from "vitest";
import { createInputs } from "../src/figure/inputs";

it("tells whether anything is other than the last time", () => {
  const inputs = createInputs();
  const run = {};
  expect(inputs.changed(run, undefined)).toBe(true);
  expect(inputs.changed(run, undefined)).toBe(false);
  expect([inputs.changed(run, 3), inputs.changed({}, 3), inputs.changed({}, 3)]).toEqual([true, true, true]);
  inputs.changed(run, 3);
  inputs.forget();
  expect(inputs.changed(run, 3)).toBe(true);
});
