import { expect, it } from "vitest";
import { asProblem, createStore, follows } from "../src/state/store";

it("a store tells who listens, until they no longer do", () => {
  const store = createStore({ batch: 1, playing: false });
  const heard: number[] = [];
  const leave = store.subscribe(() => heard.push(store.state.batch));
  store.update({ batch: 2 });
  leave();
  store.update({ batch: 3 });
  expect([heard, store.state]).toEqual([[2], { batch: 3, playing: false }]);
});

it("whatever was thrown is said as a problem", () => {
  expect(asProblem("No.", new Error("no ink"))).toEqual({ message: "No.", hint: "no ink" });
  expect(asProblem("No.", "no ink").hint).toBe("no ink");
});

it("a file is followed only if somebody may add to it", () => {
  const file = { follows: true, said: "", trouble: "" };
  expect([{}, { file: null }, { file }, { file: { ...file, follows: false } }].map(follows)).toEqual([
    false,
    false,
    true,
    false,
  ]);
});
