import { afterEach, describe, expect, it, vi } from "vitest";
import { comparisonSteps } from "../src/comparison/tour_steps";
import type { Figure, Shown } from "../src/figure/figure";
import { tallestBar } from "../src/geometry/tallest";
import { HOW_TO_READ } from "../src/help/how_to_texts";
import { hasSeenTour, rememberTour } from "../src/help/memory";
import { leaderPath } from "../src/help/pointer";
import { tourSteps } from "../src/help/tour_steps";
import { describeGradients, describeOverview, describePredictions } from "../src/panels/alternatives";
import type { Items, Snapshot } from "../src/protocol/chunks";
import type { State } from "../src/state/store";
import { runOf, seriesOf } from "./chunks";

const STEPS = 10;

/** Pieces that fall by `factor` with each lag. */
function shownOf(factor: number, changes: Partial<Snapshot> = {}): Shown {
  const pieces = Float32Array.from({ length: STEPS * STEPS }, (_, index) => {
    const [step, lag] = [Math.floor(index / STEPS), index % STEPS];
    return step + lag < STEPS ? factor ** lag : 0;
  });
  const total = new Float32Array(STEPS).fill(1);
  const items: Items = { firstLag: 0, lags: STEPS, bound: null, pieces, total, beyond: new Float32Array(STEPS) };
  const tokens = Int32Array.from({ length: STEPS }, (_, step) => step % 2);
  const snapshot = {
    batch: 1200,
    steps: STEPS,
    counted: null,
    zeroState: false,
    average: false,
    values: null,
    stream: null,
    target: tokens,
    prediction: new Int32Array(STEPS),
    has: () => false,
    items: () => items,
    ...changes,
  } as Partial<Snapshot> as Snapshot;
  return { snapshot, items, surface: "W_hh", measure: "norm", form: "bars" } as Partial<Shown> as Shown;
}

const INFO = { live: true, num_layers: 1, bidirectional: false, gates: [], primary: "W_hh" };
const state = { run: { length: 3 }, info: INFO, labels: ["a", "b"] } as unknown as State;
const figureOf = (shown: Shown | null) => ({ state, shown }) as Pick<Figure, "state" | "shown">;

describe("tour", () => {
  it("has as many steps whatever is shown", () => {
    expect(tourSteps(figureOf(null)).length).toBe(tourSteps(figureOf(shownOf(0.1))).length);
  });

  it("reads its figures from the batch", () => {
    const texts = tourSteps(figureOf(shownOf(0.09))).map(({ text }) => text);
    expect(texts[0]).toContain("3 are here");
    expect(texts[0]).toContain("Batch 1,200");
    expect(texts[1]).toContain("5 of 10");
    expect(texts[2]).toContain("Step 0 received the most, 91.0 % of it from its own loss");
    expect(texts[4]).toContain("falls below 1 % of its largest piece 2 steps back. This is how a gradient vanishes");
  });

  it("claims no vanishing where none was seen", () => {
    const text = tourSteps(figureOf(shownOf(0.9)))[4].text;
    expect(text).toContain("is still");
    expect(text).not.toContain("vanishes");
  });

  it("says of each kind of batch what there is to say", () => {
    const texts = (shown: Shown) => tourSteps(figureOf(shown)).map(({ text }) => text);
    expect(texts(shownOf(0.5, { average: true }))[1]).toContain("10 of them have a loss");
    const own = shownOf(0.5);
    const one = { ...own, items: { ...own.items, lags: 1 } };
    expect(texts(one)[3]).toContain("Here only own losses were recorded.");
    const jacobian = { ...own, surface: "jacobian", items: { ...own.items, total: null } };
    expect(texts(jacobian)[2]).toBe("For each step: what the states around it sent to it.");
    expect(texts(jacobian)[4]).toContain("The loss of step 9 sent these pieces back, one to each of 10 steps");
    expect(texts({ ...own, items: { ...own.items, total: null } })[2]).toContain("what the losses around it sent");
    const single = { state: { ...state, run: { length: 1 } } as unknown as State, shown: null };
    expect(tourSteps(single)[0].text).toContain("1 is here. Hover");
  });

  it("offers nothing that only a kernel could do where there is none", () => {
    const still = { ...figureOf(null), state: { ...state, info: { ...INFO, live: false } } as unknown as State };
    expect(tourSteps(still).at(-1)?.text).not.toContain("Play");
  });
});

describe("the tour of a comparison", () => {
  const side = (name: string) => ({ name, settings: "", weights: null });
  const compared = {
    sides: [side("tanh"), side("LSTM")],
    sentence: "At batch 20 …",
    mark: null,
    scale: "shared" as const,
    batch: 20,
    live: false,
    course: true,
  };
  const titles = (changes: Partial<typeof compared>) =>
    comparisonSteps({ ...compared, ...changes }).map(({ title }) => title);

  it("names the sides and says what differs", () => {
    const [first, second] = comparisonSteps({ ...compared, live: true });
    expect(first.text).toMatch(/^2 sides: tanh, LSTM\..* batch 20, .* The buttons train all/);
    expect(second.text).toBe("At batch 20 …");
    expect(comparisonSteps(compared)[0].text).not.toContain("buttons");
    expect(comparisonSteps({ ...compared, sentence: "" })[1].text).toContain("as soon as");
  });

  it("says which scale panel 3 has", () => {
    const texts = (scale: "shared" | "own") => comparisonSteps({ ...compared, scale }).map(({ text }) => text);
    expect(texts("shared").join()).toContain("All have one scale");
    expect(texts("own").join()).toContain("Each has its own scale");
  });

  it("ends where somebody's own arrays first differ", () => {
    const steps = comparisonSteps({ ...compared, mark: { batch: 0, step: 1, lag: 3 } });
    expect(steps).toHaveLength(comparisonSteps(compared).length + 1);
    expect(steps.at(-1)?.text).toContain("what step 1 received from the loss of step 4");
  });

  it("compares nothing where there is one side, and follows no course where there is none", () => {
    const alone = { sides: [side("reference")], course: false };
    expect(titles(alone)).toEqual(["What is shown", "What was found, in a sentence", "How far one loss reaches"]);
    const texts = comparisonSteps({ ...compared, ...alone }).map(({ text }) => text);
    expect(texts.join(" ")).not.toMatch(/\b(all|each|They)\b/);
    expect(titles({ course: false })).not.toContain("Over training");
  });
});

describe("what is remembered", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is kept in the browser", () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
    });
    expect(hasSeenTour()).toBe(false);
    rememberTour();
    expect(hasSeenTour()).toBe(true);
  });

  it("does without where the host allows no storage", () => {
    const refuse = () => {
      throw new Error("SecurityError");
    };
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
    expect(hasSeenTour()).toBe(false);
    expect(rememberTour).not.toThrow();
    vi.stubGlobal("localStorage", undefined);
    expect(hasSeenTour()).toBe(false);
  });
});

describe("pointer", () => {
  const box = (x: number, y: number) => ({ x, y, width: 100, height: 20 });

  it("leads down or up to what it points at, and nowhere if they meet", () => {
    expect(leaderPath(box(0, 0), box(200, 60))).toBe("M88,20L250,60");
    expect(leaderPath(box(0, 60), box(20, 0))).toBe("M70,60L70,20");
    expect(leaderPath(box(0, 0), box(50, 10))).toBe("");
  });
});

it("explains every panel in a few sentences, with somewhere to point", () => {
  for (const { text, points, selectors } of Object.values(HOW_TO_READ)) {
    expect(text.split(/[.?]\s/).length).toBeGreaterThan(1);
    expect(text.length).toBeLessThan(400);
    expect(points).toMatch(/^Outlined/);
    expect(selectors.length).toBeGreaterThan(0);
  }
});

describe("alternatives", () => {
  it("say what the plots show", () => {
    expect(describePredictions(shownOf(0.5), state)).toBe(
      "10 steps, 10 of them with a loss, 5 right. True: ababababab. Predicted: aaaaaaaaaa.",
    );
    expect(describeGradients(shownOf(0.5), state)).toBe(
      "Stacked bars of ∂L/∂W_hh: 10 steps, 10 lags. Step 0 received the most, 1.998, 50.0 % of it from its own loss.",
    );
  });

  it("leave out what an average does not have", () => {
    expect(describePredictions(shownOf(0.5, { average: true }), state)).toContain("average over streams");
    const values = { target: new Float32Array(STEPS), prediction: new Float32Array(STEPS), size: 1 };
    expect(describePredictions(shownOf(0.5, { values }), state)).toBe(
      "10 steps, 10 of them with a loss. Values, true and predicted.",
    );
  });

  it("end where listening would take too long, and show labels that are not known as empty", () => {
    const tokens = new Int32Array(70);
    const long = shownOf(0.5, { steps: 70, target: tokens, prediction: tokens.map((_, step) => (step < 2 ? 7 : 1)) });
    const said = describePredictions(long, state);
    expect(said).toContain("70 steps, 70 of them with a loss, 0 right");
    expect(said).toContain(`True: ${"a".repeat(60)}….`);
    expect(said).toContain(`Predicted: ∅∅${"b".repeat(58)}….`);
  });

  it("say no more of panel 3 than its form where no bar has a height", () => {
    const shown = { ...shownOf(0.5), form: "heatmap" } as Shown;
    const none = { ...shown, items: { ...shown.items, total: null } };
    expect(describeGradients(none, state)).toBe("Heat map of ∂L/∂W_hh: 10 steps, 10 lags.");
  });

  it("say which batches panel 1 shows, where it is highest and what is newest", () => {
    const run = runOf([0, 10, 1200]);
    const overview = { run, quantity: "loss", info: { ...INFO, task: null } } as unknown as State;
    const series = seriesOf([2, 3, Number.NaN]);
    expect(describeOverview(overview, series, 0, 3)).toBe(
      "3 recorded batches, 0 to 1,200. loss (nats per step): highest at batch 10: 3.000 nats per step; " +
        "newest: not a number nats per step.",
    );
    expect(describeOverview(overview, series, 2, 3)).toBe(
      "Batch 1,200. loss (nats per step): no finite value; newest: not a number nats per step.",
    );
    expect(describeOverview(overview, series, 1, 1)).toBe("Nothing is recorded.");
  });
});

describe("the tallest bar", () => {
  it("counts what lies beyond, and passes over what is not finite", () => {
    const { snapshot, items } = shownOf(0.5);
    const beyond = new Float32Array(STEPS);
    beyond[7] = 3;
    expect(tallestBar(snapshot, { ...items, beyond })?.step).toBe(7);
    const pieces = items.pieces.slice();
    pieces[0] = Number.NaN;
    expect(tallestBar(snapshot, { ...items, pieces })?.step).toBe(1);
  });

  it("is none where there are no bars", () => {
    const { snapshot, items } = shownOf(0.5);
    expect(tallestBar(snapshot, { ...items, total: null })).toBeNull();
    expect(tallestBar(snapshot, { ...items, pieces: new Float32Array(STEPS * STEPS) })).toBeNull();
    expect(tallestBar(snapshot, { ...items, firstLag: -4 })).toBeNull();
  });
});
