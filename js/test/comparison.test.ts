import type { AnyModel } from "@anywidget/types";
import { beforeEach, describe, expect, it } from "vitest";
import { createCommonFollowing, newestCommon } from "../src/comparison/batch";
import { type ComparisonSession, createComparisonSession } from "../src/comparison/session";
import { focusHere } from "../src/comparison/side";
import { spreadLabels, trendPoints } from "../src/comparison/trend_lines";
import type { ComparisonFrame, ComparisonTraits, SideFrame, SideState } from "../src/protocol/comparison_contract";
import type { Status, ToKernel } from "../src/protocol/contract";
import { BUSY_MS, LEASE_MS, SILENCE_MS } from "../src/session/requests";
import { medianOf } from "../src/state/median";
import type { Run } from "../src/state/run";
import { SHOWN_MS } from "../src/view/following";
import { bothChunks, runOf } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility, STATUS } from "./fakes";

function sideState(changes: Partial<SideState> = {}): SideState {
  const { _labels, _info, _run, _status, _samples, _cues, _choice } = fakeModel().traits;
  const settings = { learning_rate: 0.1, horizon: 2, record_every: 5 };
  return { _labels, _info, _run, _status, _samples, _cues, _choice, ...settings, ...changes };
}

let time: ReturnType<typeof fakeClock>;
let whole: ReturnType<typeof fakeComparison>;
let session: ComparisonSession;

function fakeComparison(changes: Partial<ComparisonTraits> = {}) {
  const describe = (name: string) => ({ name, settings: `cell ${name}`, weights: 12 });
  const traits: ComparisonTraits = {
    selected: null,
    measure: "norm",
    form: "auto",
    quantity: "horizon_length",
    log_scale: false,
    scale: "shared",
    stream: null,
    playing: false,
    _sides: { sides: [describe("tanh"), describe("LSTM")], remarks: [] },
    _contrast: { sentence: "" },
    _side_0: sideState(),
    _side_1: sideState(),
    _side_2: null,
    _side_3: null,
    ...changes,
  };
  const fake = fakeModel(traits as never);
  return {
    ...fake,
    model: fake.model as unknown as AnyModel<ComparisonTraits>,
    traits: fake.traits as unknown as ComparisonTraits,
    sent: fake.sent as (ToKernel & { side?: number })[],
    change: fake.change as unknown as <K extends keyof ComparisonTraits>(name: K, value: ComparisonTraits[K]) => void,
  };
}

function start(changes: Partial<ComparisonTraits> = {}) {
  whole = fakeComparison(changes);
  time = fakeClock();
  session = createComparisonSession(whole.model, time.clock, fakeVisibility().visibility);
  session.join();
}

function frame(number: number, batches: number[], changes: Partial<ComparisonFrame> = {}): ComparisonFrame {
  const part = (): SideFrame => ({
    epoch: 0,
    frame: number,
    recorded: batches.length + number,
    status: { ...STATUS, batch: number + 1 },
  });
  const head = { kind: "frame", client: null, seq: 0, last: true, playing: false } as const;
  return { ...head, sides: [part(), part()], chunks: [2, 2], ...changes };
}

const batchesOf = (side: number) => Array.from(session.sides[side].store.state.run.batches());
const leases = () => whole.sent.filter(({ kind }) => kind === "lease") as { client: string; seq: number; ms: number }[];

beforeEach(() => start());

describe("a comparison of run files", () => {
  const file = { follows: true, said: "Follows a.rnnbow: training.", trouble: "" };
  const followed = () => sideState({ _info: { ...sideState()._info, live: false }, _status: { ...STATUS, file } });

  it("asks what is new in all of them, by one chain of requests", () => {
    start({ _side_0: followed(), _side_1: followed() });
    const asked = () => whole.sent.filter(({ kind }) => kind === "follow") as { client: string; seq: number }[];
    expect(asked()).toHaveLength(1);
    const { client, seq } = asked()[0];
    const status = { ...STATUS, file };
    const sides = [0, 1].map(() => ({ epoch: 0, frame: 0, recorded: 0, status }));
    whole.receive(frame(0, [], { client, seq, sides, chunks: [0, 0] }));
    expect(asked()).toHaveLength(1);
    time.pass(BUSY_MS);
    expect(asked().map((request) => request.seq)).toEqual([seq, seq + 1]);
    const ended = { ...status, file: { ...file, follows: false } };
    const last = sides.map((side) => ({ ...side, frame: 1, status: ended }));
    whole.receive(frame(1, [], { client, seq: seq + 1, sides: last, chunks: [0, 0] }));
    time.pass(10 * BUSY_MS);
    expect(asked()).toHaveLength(2);
  });
});

describe("a comparison's session", () => {
  it("hands each side its part of a frame, and its chunks, before anybody draws", () => {
    const seen: number[][] = [];
    session.store.subscribe(() => seen.push([batchesOf(0).length, batchesOf(1).length]));
    whole.receive(frame(0, [0]), [...bothChunks([0]), ...bothChunks([0])] as ArrayBuffer[]);
    whole.receive(frame(1, [5]), [...bothChunks([5]), ...bothChunks([5])] as ArrayBuffer[]);
    expect([batchesOf(0), batchesOf(1)]).toEqual([
      [0, 5],
      [0, 5],
    ]);
    expect(seen.at(-1)).toEqual([2, 2]);
    expect(whole.traits._side_1?._run.chunks).toHaveLength(4);
    expect(whole.traits._side_0?._status.batch).toBe(2);
    expect(whole.sent).toEqual([]);
  });

  it("keeps what sides differ in apart, and what they share together", () => {
    start({
      measure: "share",
      _side_0: sideState({ _info: { ...sideState()._info, primary: "W_hh_l1" } }),
      _side_1: sideState({ _labels: ["x"] }),
    });
    const [first, second] = session.sides.map(({ store }) => store.state);
    expect([first.surface, second.surface]).toEqual(["W_hh_l1", "W_hh"]);
    expect([first.labels.length, second.labels.length]).toEqual([3, 1]);
    expect([first.measure, second.measure, first.overlay, second.playing]).toEqual(["share", "share", null, false]);
    session.commands.choose("measure", "norm");
    expect(session.sides.map(({ store }) => store.state.measure)).toEqual(["norm", "norm"]);
    session.sides[1].commands.select(5);
    expect([session.store.state.selected, session.sides[0].store.state.selected]).toEqual([5, 5]);
  });

  it("asks for one lease at a time for all sides, and goes on when the frame says so", () => {
    whole.change("playing", true);
    expect(leases()).toHaveLength(1);
    const [{ client, seq, ms }] = leases();
    expect(ms).toBe(LEASE_MS);
    time.pass(SILENCE_MS - 1);
    whole.receive(frame(0, [0], { client, seq, last: false, playing: true, chunks: [0, 0] }));
    time.pass(SILENCE_MS - 1);
    expect(leases()).toHaveLength(1);
    whole.receive(frame(1, [0], { client, seq, last: true, playing: true, chunks: [0, 0] }));
    expect(leases()).toHaveLength(2);
    whole.receive(frame(2, [0], { client, seq: seq + 1, last: true, playing: false, chunks: [0, 0] }));
    whole.change("playing", false);
    time.pass(2 * SILENCE_MS);
    expect(leases()).toHaveLength(2);
  });

  it("names the side in what a side asks for, and gives the answer to that side alone", () => {
    session.sides[1].want({}, [{ batch: 7, stream: null, part: null }]);
    expect(whole.sent).toMatchObject([{ kind: "details", batch: 7, side: 1 }]);
    const { client } = whole.sent[0] as { client: string };
    const answer = { kind: "details", client, epoch: 0, batch: 7, stream: null, part: null, reason: null };
    whole.receive({ ...answer, side: 1, held: false, nearest: 3 });
    expect(session.sides[1].missing({ batch: 7, stream: null, part: null })).toMatchObject({ nearest: 3 });
    expect(session.sides[0].missing({ batch: 7, stream: null, part: null })).not.toHaveProperty("nearest");
  });

  it("takes in the sentence, and keeps it for a notebook that is saved", () => {
    whole.receive(frame(0, [0], { chunks: [0, 0], contrast: { sentence: "At batch 0 …" } }));
    expect(session.store.state.sentence).toBe("At batch 0 …");
    expect(whole.traits._contrast.sentence).toBe("At batch 0 …");
  });

  it("asks for a line of Python, and takes the answer that is its own", () => {
    session.commands.askCode();
    const [{ kind, client }] = whole.sent as { kind: string; client: string }[];
    expect(kind).toBe("code");
    whole.receive({ kind: "code", client: "another page", line: "w" });
    expect(session.store.state.code).toBeNull();
    whole.receive({ kind: "code", client, line: "w = compare(a, b); w" });
    expect(session.store.state.code).toEqual({ line: "w = compare(a, b); w" });
  });

  it("says what went wrong, and that the kernel is silent", () => {
    whole.receive({ kind: "error", message: "No disk.", hint: "Buy one." });
    expect(session.store.state.problem).toMatchObject({ message: "No disk." });
    whole.receive(frame(0, [0], { chunks: [0, 0] }));
    expect(session.store.state.problem).toBeNull();
    session.commands.play();
    time.pass(SILENCE_MS);
    expect(session.store.state.silent).toBe(true);
    whole.receive(frame(1, [0], { chunks: [0, 0] }));
    expect(session.store.state.silent).toBe(false);
    whole.close();
    session.commands.reset();
    expect(session.store.state.silent).toBe(true);
  });

  it("follows what the kernel chooses and finds", () => {
    whole.change("_sides", { sides: whole.traits._sides.sides, remarks: ["Seeds differ."] });
    expect(session.store.state.remarks).toEqual(["Seeds differ."]);
    whole.change("_contrast", { sentence: "LSTM is ahead.", mark: { batch: 30, step: 1, lag: 0 } });
    whole.change("selected", 30);
    whole.change("scale", "own");
    const { sentence, mark, selected, scale } = session.store.state;
    expect([sentence, mark, selected, scale]).toEqual(["LSTM is ahead.", { batch: 30, step: 1, lag: 0 }, 30, "own"]);
  });

  it("waits while the kernel is busy, ends with what is done, and says what was refused", () => {
    whole.change("playing", true);
    const [{ client, seq }] = leases();
    whole.receive({ kind: "busy", client, seq });
    expect(leases()).toHaveLength(1);
    time.pass(BUSY_MS);
    expect(leases()).toHaveLength(2);
    whole.receive({ kind: "done", client, seq: leases()[1].seq });
    expect(leases()).toHaveLength(3);
    whole.receive({ kind: "code", client, line: "" });
    whole.receive({ kind: "refused", name: "selected", value: -1, message: "No such batch." });
    expect(session.store.state.problem).toEqual({ message: "No such batch.", hint: "" });
  });

  it("leaves nothing behind", () => {
    session.destroy();
    expect(whole.listening()).toBe(0);
    expect(time.pending()).toBe(0);
  });
});

const side = (run: Run, state: Status["state"] = "training", live = true) => ({
  run,
  status: { ...STATUS, state },
  info: { ...sideState()._info, live },
});

describe("which batch is shown", () => {
  it("is the newest that all who go on have recorded", () => {
    expect(newestCommon([side(runOf()), side(runOf())])).toBeNull();
    expect(newestCommon([side(runOf([0, 10])), side(runOf([0, 7]))])).toBe(7);
    expect(newestCommon([side(runOf([0, 10])), side(runOf([0, 3]), "diverged")])).toBe(10);
    expect(newestCommon([side(runOf([0, 10])), side(runOf([0, 900]), "paused", false)])).toBe(10);
    expect(newestCommon([side(runOf([0, 10]), "paused", false), side(runOf([0, 4]), "paused", false)])).toBe(10);
  });

  it("stays for a while, and as long as it is pointed at", () => {
    let now = 0;
    const following = createCommonFollowing(() => now);
    const both = (...batches: number[]) => [side(runOf(batches)), side(runOf(batches))];
    expect(following(both(0), false)).toBe(0);
    expect(following(both(0, 5), false)).toBe(0);
    now += SHOWN_MS;
    expect(following(both(0, 5), true)).toBe(0);
    expect(following(both(0, 5), false)).toBe(5);
    expect(following(both(0), false)).toBe(0);
  });
});

describe("lines over training", () => {
  const series = (values: number[]) => {
    const column = Float32Array.from(values);
    return { values: () => column, median: (from: number, to: number) => medianOf(column, from, to) };
  };

  it("have a point for each batch while there is room, and leave out what is not finite", () => {
    const points = trendPoints(Int32Array.of(0, 5, 10), series([1, Number.NaN, 3]), 10, 400);
    expect(points).toEqual([
      { batch: 0, value: 1 },
      { batch: 10, value: 3 },
    ]);
  });

  it("have a median for each place otherwise, and lose no batch", () => {
    const batches = Int32Array.from({ length: 1000 }, (_, index) => index);
    const values = Array.from(batches, (batch) => (batch % 10 === 0 ? 1000 : batch));
    const points = trendPoints(batches, series(values), 999, 80);
    expect(points).toHaveLength(10);
    for (const [bin, { batch, value }] of points.entries()) {
      expect(Math.abs(batch - (100 * bin + 50))).toBeLessThan(2);
      expect(Math.abs(value - (100 * bin + 50))).toBeLessThan(15);
    }
    const gap = values.map((value, index) => (index < 100 ? Number.NaN : value));
    expect(trendPoints(batches, series(gap), 999, 80), "nothing is known of the first place").toHaveLength(9);
    const late = batches.map((batch) => batch + 1000);
    expect(trendPoints(late, series(values), 1999, 80), "nothing is at the first places").toHaveLength(5);
    // A run that ends early ends at its place.
    expect(trendPoints(batches.subarray(0, 300), series(values.slice(0, 300)), 999, 80)).toHaveLength(3);
  });

  it("have names that do not overlap and keep their order", () => {
    expect(spreadLabels([50, 52, 51], 14, 0, 100)).toEqual([50, 78, 64]);
    expect(spreadLabels([99, 98], 14, 0, 100)).toEqual([100, 86]);
    expect(spreadLabels([10, 60], 14, 0, 100)).toEqual([10, 60]);
    expect(spreadLabels([50, 50], 14, 0, 100)).toEqual([50, 64]);
  });
});

describe("what is pointed at in another side", () => {
  const here = { snapshot: { steps: 10 }, items: { firstLag: 0, lags: 3 } } as never;

  it("is the same piece, or its loss where that piece was not recorded", () => {
    const part = (lag: number | null) => ({ kind: "part", step: 4, lag, panel: "gradients" }) as const;
    expect(focusHere({ target: part(2), pinned: 3 }, here)).toEqual({ target: part(2), pinned: 3 });
    expect(focusHere({ target: part(5), pinned: null }, here).target).toEqual({ kind: "loss", step: 9 });
    expect(focusHere({ target: part(6), pinned: null }, here).target).toBeNull();
    expect(focusHere({ target: part(null), pinned: null }, here).target).toEqual(part(null));
    expect(focusHere({ target: { kind: "loss", step: 12 }, pinned: 11 }, here)).toEqual({ target: null, pinned: null });
  });
});
