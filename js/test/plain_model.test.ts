import { expect, it, vi } from "vitest";
import { createPlainModel } from "../src/session/plain_model";

it("a model without a host tells who listens, until they no longer do", () => {
  const { model, emit } = createPlainModel({ selected: 1, playing: false }, () => {});
  const [heard, also] = [vi.fn(), vi.fn()];
  model.off("change:selected", heard);
  emit("msg:custom", "nobody listens");
  model.on("change:selected", heard);
  model.on("change:selected", also);
  model.set("selected", 2);
  model.set("playing", true);
  model.off("change:selected", heard);
  model.set("selected", 3);
  model.save_changes();
  expect([heard.mock.calls.length, also.mock.calls.length, model.get("selected")]).toEqual([1, 2, 3]);
});

it("a model without a host hands on what it sends, and what goes wrong with it", () => {
  const { model } = createPlainModel({ selected: 1 }, (message) => {
    throw new Error(`no kernel for ${message.kind}`);
  });
  expect(() => model.send({ kind: "reset" })).toThrow("no kernel for reset");
});
