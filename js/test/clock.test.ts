import { afterEach, expect, it, vi } from "vitest";
import { browserClock, createAudience, pageVisibility } from "../src/browser/clock";
import { fakeVisibility } from "./fakes";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("an audience is there while the page is visible and shows the widget", () => {
  const page = fakeVisibility();
  const audience = createAudience(page.visibility);
  const told: boolean[] = [];
  const stop = audience.onChange(() => told.push(audience.visible()));
  expect(audience.visible()).toBe(false);
  const [leave, leaveToo] = [audience.join(), audience.join()];
  leave();
  page.show(false);
  page.show(true);
  leaveToo();
  expect(told).toEqual([true, true, true, false, true, false]);
  stop();
  audience.join();
  page.show(false);
  expect(told).toHaveLength(6);
});

it("a page holds nothing of a widget that it shows no more, or not yet", () => {
  let held = 0;
  const page = {
    visible: () => true,
    onChange() {
      held += 1;
      return () => {
        held -= 1;
      };
    },
  };
  const audience = createAudience(page);
  audience.onChange(() => {});
  expect(held).toBe(0);
  const [leave, leaveToo] = [audience.join(), audience.join()];
  expect(held).toBe(1);
  leave();
  expect(held).toBe(1);
  leaveToo();
  expect(held).toBe(0);
  audience.join();
  expect(held).toBe(1);
});

it("a timer of the page goes off once, unless it is called off", () => {
  vi.useFakeTimers();
  const action = vi.fn();
  const callOff = browserClock.after(30, action);
  browserClock.after(20, action);
  vi.advanceTimersByTime(29);
  expect(action).toHaveBeenCalledTimes(1);
  callOff();
  vi.advanceTimersByTime(100);
  expect(action).toHaveBeenCalledTimes(1);
});

it("a page is visible unless it says that it is hidden", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  const told: boolean[] = [];
  const stop = pageVisibility.onChange(() => told.push(pageVisibility.visible()));
  for (const visibilityState of ["hidden", "visible"]) {
    Object.assign(page, { visibilityState }).dispatchEvent(new Event("visibilitychange"));
  }
  stop();
  page.dispatchEvent(new Event("visibilitychange"));
  expect(told).toEqual([false, true]);
});
