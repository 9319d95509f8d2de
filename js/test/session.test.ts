import { beforeEach, describe, expect, it, vi } from "vitest";
import { decodeChunk } from "../src/protocol/chunks";
import type { DetailsAnswer, Frame, Traits, Whole } from "../src/protocol/contract";
import { LEASE_MS, SILENCE_MS } from "../src/session/requests";
import { ADDED_BYTES } from "../src/session/saved_run";
import { createSession, type Session } from "../src/session/session";
import { at, bothChunks, detailsChunk, overviewChunk } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility, STATUS } from "./fakes";

let model: ReturnType<typeof fakeModel>;
let time: ReturnType<typeof fakeClock>;
let session: Session;
let leave: () => void;

function start(traits: Partial<Traits> = {}) {
  model = fakeModel(traits);
  time = fakeClock();
  session = createSession(model.model, time.clock, fakeVisibility().visibility);
  leave = session.join();
}

function frame(number: number, changes: Partial<Frame> = {}): Frame {
  return {
    kind: "frame",
    epoch: 0,
    frame: number,
    recorded: 0,
    client: null,
    seq: 0,
    last: true,
    playing: false,
    status: { ...STATUS, batch: number + 1 },
    ...changes,
  };
}

function whole(changes: Partial<Whole> = {}): Whole {
  const samples = { first: null, now: null };
  return { kind: "whole", epoch: 0, next: 0, recorded: 0, status: STATUS, samples, cues: [], choice: null, ...changes };
}

const batches = () => Array.from(session.store.state.run.batches());

beforeEach(() => start());

describe("the tour and the line of Python", () => {
  it("hears from the kernel that the tour is wanted, and tells that it is over", () => {
    expect(session.store.state.touring).toBe(false);
    session.commands.endTour();
    expect(model.saved).toEqual([]);
    model.change("_touring", true);
    expect(session.store.state.touring).toBe(true);
    session.commands.endTour();
    expect(model.saved).toEqual(["_touring"]);
    expect(session.store.state.touring).toBe(false);
  });

  it("takes the line that it asked for, and no other page's", () => {
    session.commands.askCode();
    const [{ client }] = model.sent as { kind: "code"; client: string }[];
    expect(model.sent).toEqual([{ kind: "code", client }]);
    model.receive({ kind: "code", client: "another", line: "w" });
    expect(session.store.state.code).toBeNull();
    model.receive({ kind: "code", client, line: "w" });
    expect(session.store.state.code).toEqual({ line: "w" });
  });
});

describe("what arrives", () => {
  it("begins with what the model holds", () => {
    const chunks = [overviewChunk([0, 5]), new DataView(overviewChunk([10])), detailsChunk([0, 5, 10])];
    start({ _run: { epoch: 3, next: 9, recorded: 3, chunks } });
    expect(batches()).toEqual([0, 5, 10]);
    expect(session.store.state.run.details.get(at(5))?.batch).toBe(5);
    expect(model.sent).toEqual([]);
  });

  it("appends frames, in the store and in the model's own attributes", () => {
    const { _run, _status, _samples } = model.traits;
    model.receive(frame(0, { recorded: 1 }), bothChunks([0]));
    const samples = { first: { batch: 0, text: "x" }, now: { batch: 9, text: "y" } };
    model.receive(frame(1, { samples, recorded: 4 }), [...bothChunks([1, 2]), overviewChunk([3])]);
    expect(batches()).toEqual([0, 1, 2, 3]);
    expect([2, 3].map((batch) => session.store.state.run.details.has(at(batch)))).toEqual([true, false]);
    expect(model.traits._run).toBe(_run);
    expect([_run.next, _run.recorded, _run.chunks.length]).toEqual([2, 4, 5]);
    expect(_status.batch).toBe(2);
    expect(_samples).toEqual(samples);
    expect(session.store.state.samples).toEqual(samples);
    expect(model.sent).toEqual([]);
  });

  it("keeps chunks as views that start their own buffer", () => {
    const encoded = overviewChunk([4]);
    const message = new Uint8Array(encoded.byteLength + 8);
    message.set(new Uint8Array(encoded), 8);
    model.receive(frame(0), [new DataView(message.buffer, 8)]);
    const [kept] = model.traits._run.chunks as DataView[];
    expect(kept).toBeInstanceOf(DataView);
    expect([kept.byteOffset, kept.buffer.byteLength]).toEqual([0, encoded.byteLength]);
  });

  it("ignores frames that came before, and those of an epoch that is over", () => {
    model.receive(frame(0), bothChunks([0]));
    model.receive(frame(0), bothChunks([0]));
    expect(batches()).toEqual([0]);
    start({ _run: { epoch: 2, next: 0, recorded: 0, chunks: [] } });
    model.receive(frame(0, { epoch: 1 }), bothChunks([7]));
    expect(batches()).toEqual([]);
    expect(model.sent).toEqual([]);
  });

  it("asks for the whole where it is made from what the kernel sent last, as in marimo", () => {
    vi.stubGlobal("customElements", { get: (name: string) => (name === "marimo-anywidget" ? class {} : undefined) });
    start();
    vi.unstubAllGlobals();
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    model.receive(whole({ next: 2, recorded: 2 }), [overviewChunk([0, 1]), detailsChunk([1])]);
    expect(batches()).toEqual([0, 1]);
  });

  it("asks for the whole once when a frame is missing, and takes it", () => {
    model.receive(frame(0, { recorded: 1 }), bothChunks([0]));
    model.receive(frame(2, { recorded: 3 }), bothChunks([2]));
    model.receive(frame(3, { recorded: 4 }), bothChunks([3]));
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    expect(batches()).toEqual([0]);
    const { run } = session.store.state;
    model.receive(whole({ next: 4, recorded: 4 }), [overviewChunk([0, 1]), overviewChunk([2, 3]), detailsChunk([2])]);
    model.receive(frame(4, { recorded: 5 }), bothChunks([4]));
    expect(batches()).toEqual([0, 1, 2, 3, 4]);
    expect(session.store.state.run, "views keep their zoom").toBe(run);
    expect([0, 2].map((batch) => run.details.has(at(batch)))).toEqual([true, true]);
    expect(model.traits._run).toMatchObject({ epoch: 0, next: 5, recorded: 5 });
    expect(model.traits._run.chunks, "what the model held may lack something").toHaveLength(2);
  });

  it("keeps cues, in the store and in the model's own attributes", () => {
    const { _cues } = model.traits;
    const cue = { batch: 5, kind: "tallest" as const, score: 2, reason: "Tallest." };
    model.receive(frame(0, { cues: [cue] }));
    model.receive(frame(1));
    expect(model.traits._cues).toBe(_cues);
    expect([_cues, session.store.state.cues]).toEqual([[cue], [cue]]);
    model.receive(whole({ epoch: 1 }));
    expect([_cues, session.store.state.cues]).toEqual([[], []]);
  });

  it("keeps what the person chooses, and tells the kernel", () => {
    session.commands.choose("stream", 1);
    session.commands.choose("stream", null);
    session.commands.choose("measure", "share");
    expect([model.saved, session.store.state.measure]).toEqual([["stream", "stream", "measure"], "share"]);
    expect([model.traits.stream, session.store.state.stream]).toEqual([null, null]);
  });

  it("keeps the newest choice of a horizon, in the store and in the model's own attributes", () => {
    const { _choice } = model.traits;
    const choice = { horizon: 2, tolerance: 0.1, batch: 5, losses: 8, residual: [1, 0.2, 0] };
    model.receive({ kind: "refused", name: "measure_horizon", value: null, message: "all gradients are 0" });
    expect(session.store.state.refused).toEqual({ measure_horizon: "all gradients are 0" });
    model.receive(frame(0, { choice }));
    model.receive(frame(1));
    expect(model.traits._choice).toBe(_choice);
    expect([_choice.newest, session.store.state.choice, session.store.state.refused]).toEqual([choice, choice, {}]);
    model.receive({
      kind: "whole",
      epoch: 1,
      next: 0,
      recorded: 0,
      status: STATUS,
      samples: { first: null, now: null },
      cues: [],
      choice: null,
    });
    expect([_choice.newest, session.store.state.choice]).toEqual([null, null]);
  });

  it("asks for the whole again if it was lost", () => {
    model.receive(frame(5));
    time.pass(SILENCE_MS);
    model.receive(frame(6));
    expect(model.sent.map(({ kind }) => kind)).toEqual(["resync", "resync"]);
  });

  it("starts anew after a reset", () => {
    model.receive(frame(0, { recorded: 1 }), bothChunks([0]));
    model.receive(whole({ epoch: 1 }));
    expect(batches()).toEqual([]);
    expect(session.store.state.run.details.has(at(0))).toBe(false);
    expect(model.traits._run).toMatchObject({ epoch: 1, next: 0, recorded: 0, chunks: [] });
    model.receive(frame(0, { epoch: 1, recorded: 1 }), [overviewChunk([0])]);
    expect(batches()).toEqual([0]);
    expect(session.store.state.run.details.has(at(0))).toBe(false);
  });

  it("takes what the kernel sends as the model's state, where it is newer", () => {
    model.receive(frame(0), bothChunks([0]));
    model.change("_run", { epoch: 0, next: 8, recorded: 3, chunks: [overviewChunk([0, 3, 4]), detailsChunk([4])] });
    expect(batches()).toEqual([0, 3, 4]);
    expect(session.store.state.run.details.has(at(4))).toBe(true);
    model.receive(frame(8, { recorded: 4 }), bothChunks([5]));
    expect(batches()).toEqual([0, 3, 4, 5]);
    expect(model.sent).toEqual([]);
  });
});

describe("the model's copy of the run", () => {
  const recordAll = (count: number) => {
    for (let batch = 0; batch < count; batch += 1) {
      model.receive(frame(batch, { recorded: batch + 1 }), bothChunks([batch]));
    }
  };
  const bytes = () => model.traits._run.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);

  it("holds few details however many arrive, and the newest among them", () => {
    recordAll(500);
    const kinds = model.traits._run.chunks.map((chunk) => decodeChunk(chunk));
    const details = kinds.filter(({ kind }) => kind === "details");
    expect(details.length).toBeLessThan(500);
    expect(details.reduce((sum, chunk) => sum + ("nbytes" in chunk ? chunk.nbytes : 0), 0)).toBeLessThan(ADDED_BYTES);
    expect(Array.from(details.at(-1)?.batch ?? [])).toEqual([499]);
    expect(kinds.filter(({ kind }) => kind === "overview")).toHaveLength(500);
    expect(session.store.state.run.details.has(at(0)), "the page itself holds them").toBe(true);
  });

  it("is replaced by what the kernel sends, without a change to what is shown", () => {
    recordAll(100);
    const { run } = session.store.state;
    const before = bytes();
    const state = { epoch: 0, next: 100, recorded: 100, chunks: [overviewChunk([0, 50, 99])] };
    model.change("_run", state);
    expect(session.store.state.run).toBe(run);
    expect([batches().length, session.store.state.recorded]).toEqual([100, 100]);
    model.receive(frame(100, { recorded: 101 }), bothChunks([100]));
    expect(model.traits._run).toBe(state);
    expect([state.chunks.length, state.next, state.recorded]).toEqual([3, 101, 101]);
    expect(bytes()).toBeLessThan(before / 10);
    expect(model.sent).toEqual([]);
  });

  it("is asked for again if it is older than what is shown", () => {
    recordAll(3);
    model.change("_run", { epoch: 0, next: 1, recorded: 1, chunks: [overviewChunk([0])] });
    expect(batches()).toEqual([0, 1, 2]);
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
  });
});

describe("an extract of a long run", () => {
  const extract = { epoch: 0, next: 9, recorded: 6, chunks: [overviewChunk([0, 20, 50]), detailsChunk([50])] };
  beforeEach(() => start({ _run: { ...extract, chunks: [...extract.chunks] } }));

  it("is shown at once, and the rest is asked for", () => {
    expect(batches()).toEqual([0, 20, 50]);
    expect(session.store.state).toMatchObject({ recorded: 6, completing: true, reached: false });
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    model.receive(whole({ next: 9, recorded: 6 }), [overviewChunk([0, 10, 20, 30, 40, 50]), detailsChunk([30])]);
    expect(batches()).toEqual([0, 10, 20, 30, 40, 50]);
    expect(session.store.state).toMatchObject({ recorded: 6, completing: false, reached: true });
    const { details } = session.store.state.run;
    expect([30, 50].map((batch) => details.has(at(batch)))).toEqual([true, true]);
    expect(model.traits._run.chunks, "a saved notebook stays small").toHaveLength(2);
  });

  it("goes on with the frames that arrive before the rest", () => {
    model.receive(frame(9, { recorded: 7 }), bothChunks([60]));
    expect(batches()).toEqual([0, 20, 50, 60]);
    model.receive(whole({ next: 10, recorded: 7 }), [overviewChunk([0, 10, 20, 30, 40, 50, 60])]);
    model.receive(frame(10, { recorded: 8 }), bothChunks([70]));
    expect(batches()).toEqual([0, 10, 20, 30, 40, 50, 60, 70]);
    expect(model.sent).toHaveLength(1);
  });

  it("stays, and is said to be one, where no kernel answers", () => {
    time.pass(SILENCE_MS);
    expect(session.store.state).toMatchObject({ recorded: 6, completing: false, reached: false, silent: false });
    expect(batches()).toEqual([0, 20, 50]);
    expect(time.pending()).toBe(0);
  });

  it("is asked for its rest again if the answer was lost", () => {
    time.pass(SILENCE_MS);
    model.receive(frame(9, { recorded: 7 }), bothChunks([60]));
    expect(model.sent.map(({ kind }) => kind)).toEqual(["resync", "resync"]);
  });

  it("does not take the place of a run that is shown whole", () => {
    start({ _run: { epoch: 0, next: 1, recorded: 1, chunks: bothChunks([0]) } });
    model.change("_run", { ...extract, chunks: [...extract.chunks] });
    expect(batches()).toEqual([0]);
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    model.receive(whole({ next: 9, recorded: 6 }), [overviewChunk([0, 10, 20, 30, 40, 50])]);
    expect(batches()).toEqual([0, 10, 20, 30, 40, 50]);
  });
});

describe("details that are not there", () => {
  const view = {};
  const asked = () => model.sent.filter((message) => message.kind === "details");
  const client = () => String(asked()[0].client);
  const answer = (batch: number, changes: Partial<DetailsAnswer> = {}): DetailsAnswer => ({
    kind: "details",
    client: client(),
    epoch: 0,
    batch,
    stream: null,
    part: null,
    held: true,
    nearest: null,
    ...changes,
  });

  beforeEach(() => {
    model.receive(frame(0, { recorded: 4 }), [overviewChunk([0, 10, 20, 30]), detailsChunk([30])]);
  });

  it("are asked for, also while training goes on, and kept", () => {
    session.want(view, [at(10)]);
    session.want(view, [at(10)]);
    expect(asked()).toMatchObject([{ kind: "details", batch: 10 }]);
    expect(session.missing(at(10))).toEqual({ why: "waiting" });
    model.receive(frame(1, { recorded: 5 }), bothChunks([40]));
    model.receive(answer(10), [detailsChunk([10])]);
    expect(session.store.state.run.details.get(at(10))?.batch).toBe(10);
    session.want(view, []);
    expect(asked()).toHaveLength(1);
    expect(model.traits._run.chunks).toHaveLength(5);
  });

  it("are said to be thinned, with the nearest that is held, and not asked for again", () => {
    session.want(view, [at(10)]);
    model.receive(answer(10, { held: false, nearest: 30 }));
    expect(session.missing(at(10))).toEqual({ why: "thinned", nearest: 30 });
    session.want(view, [at(20)]);
    session.want(view, [at(10)]);
    model.receive(answer(20, { held: false, nearest: 30 }));
    expect(asked().map(({ batch }) => batch)).toEqual([10, 20]);
  });

  it("are of the part that was asked for, or refused with a reason", () => {
    session.want(view, [at(30, null, "W_ih"), at(30, null, "c")]);
    expect(asked()).toMatchObject([{ batch: 30, part: "W_ih" }]);
    model.receive(answer(30, { part: "W_ih" }), [detailsChunk([30], 0, null, [], "W_ih")]);
    const { details } = session.store.state.run;
    expect(details.get(at(30, null, "W_ih"))?.surfaces).toEqual(["W_ih"]);
    expect(details.get(at(30))?.surfaces, "what is recorded stays").toEqual(["W_hh"]);
    expect(asked()).toMatchObject([{ part: "W_ih" }, { part: "c" }]);
    model.receive(answer(30, { part: "c", held: false, reason: "A tanh cell has no c." }));
    expect(session.missing(at(30, null, "c"))).toEqual({
      why: "refused",
      reason: "A tanh cell has no c.",
      nearest: null,
    });
    expect(asked()).toHaveLength(2);
  });

  it("are dropped with the run that they belong to", () => {
    session.want(view, [at(10)]);
    model.receive(whole({ epoch: 1 }));
    model.receive(answer(10), [detailsChunk([10])]);
    expect(session.store.state.run.details.has(at(10))).toBe(false);
    model.receive(frame(0, { epoch: 1, recorded: 1 }), [overviewChunk([10])]);
    session.want(view, [at(10)]);
    expect(asked().map(({ batch }) => batch)).toEqual([10, 10]);
    model.receive(answer(10, { epoch: 1 }), [detailsChunk([10])]);
    expect(session.store.state.run.details.has(at(10))).toBe(true);
  });

  it("are kept if they come late, and passed over if another page asked", () => {
    session.want(view, [at(10)]);
    const late = answer(10);
    session.want(view, []);
    model.receive(answer(20, { client: "another" }), [detailsChunk([20])]);
    model.receive(late, [detailsChunk([10])]);
    expect([10, 20].map((batch) => session.store.state.run.details.has(at(batch)))).toEqual([true, false]);
  });

  it("are those of the stream that is chosen, and an answer for another is not taken for it", () => {
    session.want(view, [at(10)]);
    model.change("stream", 2);
    expect(session.store.state.stream).toBe(2);
    session.want(view, [at(10, 2)]);
    expect(session.missing(at(10, 2))).toEqual({ why: "waiting" });
    model.receive(answer(10), [detailsChunk([10])]);
    const { details } = session.store.state.run;
    expect([details.has(at(10)), details.has(at(10, 2))], "late, and kept for its own stream").toEqual([true, false]);
    expect(asked().map(({ batch, stream }) => [batch, stream])).toEqual([
      [10, null],
      [10, 2],
    ]);
    model.receive(answer(10, { stream: 2 }), [detailsChunk([10], 0, 2)]);
    expect([details.get(at(10))?.stream, details.get(at(10, 2))?.stream]).toEqual([null, 2]);
    expect(asked()).toHaveLength(2);
  });

  it("come with the run that the kernel sends when another stream is chosen", () => {
    model.receive(frame(1, { recorded: 5 }), bothChunks([40]));
    session.store.update({ stream: 1 });
    const { run } = session.store.state;
    const held = run.details.get(at(40));
    const chunks = [overviewChunk([0, 10, 20, 30, 40]), detailsChunk([30, 40], 0, 1), detailsChunk([40])];
    model.change("_run", { epoch: 0, next: 2, recorded: 5, chunks });
    expect(session.store.state.run).toBe(run);
    expect([30, 40].map((batch) => run.details.has(at(batch, 1)))).toEqual([true, true]);
    expect(run.details.get(at(40))?.loss.buffer, "nothing is kept twice").toBe(held?.loss.buffer);
    expect([asked(), batches()]).toEqual([[], [0, 10, 20, 30, 40]]);
  });

  it("of all batches are asked for at once if a page is loaded with few of the chosen stream's", () => {
    const chunks = [overviewChunk([0, 5]), detailsChunk([0, 5]), detailsChunk([5], 0, 3)];
    start({ stream: 3, _run: { epoch: 0, next: 2, recorded: 2, chunks } });
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    start({ stream: null, _run: { epoch: 0, next: 2, recorded: 2, chunks } });
    expect(model.sent).toEqual([]);
  });

  it("that cannot be read are said so, and asked for again after a while", () => {
    session.want(view, [at(10)]);
    model.receive(answer(10), [new ArrayBuffer(2)]);
    expect(session.store.state.problem?.hint).toContain("no header");
    expect(session.missing(at(10))).toMatchObject({ why: "waiting" });
    expect(asked()).toHaveLength(1);
    time.pass(SILENCE_MS);
    expect(asked()).toHaveLength(2);
    model.receive(answer(10), [detailsChunk([10])]);
    expect(session.store.state.run.details.has(at(10))).toBe(true);
    time.pass(100_000);
    expect(asked()).toHaveLength(2);
  });

  it("are not missed where the way to the kernel is closed: it is said that nobody answers", () => {
    model.close();
    session.want(view, [at(10)]);
    expect(session.missing(at(10))).toEqual({ why: "silent" });
    expect([session.store.state.silent, time.pending()]).toEqual([false, 0]);
  });
});

describe("trouble", () => {
  it("shows a chunk that cannot be read, and goes on", () => {
    model.receive(frame(0), [new ArrayBuffer(2)]);
    expect(session.store.state.problem?.hint).toContain("no header");
    model.receive(frame(1), bothChunks([1]));
    expect(batches()).toEqual([1]);
    expect(model.traits._run.chunks).toHaveLength(2);
  });

  it("is over when what comes next can be read and nothing is missing", () => {
    model.receive(frame(0, { recorded: 1 }), [overviewChunk([0]), new ArrayBuffer(2)]);
    expect(session.store.state.problem?.hint).toContain("no header");
    model.receive(frame(1, { recorded: 2 }), bothChunks([5]));
    expect(session.store.state.problem).toBeNull();
    expect([model.sent, batches()]).toEqual([[], [0, 5]]);
  });

  it("lasts until the whole run is there if batches are missing, which even another damaged frame notices", () => {
    model.receive(frame(0, { recorded: 1 }), [new ArrayBuffer(2)]);
    expect(model.sent).toEqual([]);
    model.receive(frame(1, { recorded: 2 }), [new ArrayBuffer(2)]);
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    expect(session.store.state.problem).not.toBeNull();
    model.receive(whole({ next: 2, recorded: 2 }), bothChunks([0, 5]));
    expect(session.store.state.problem).toBeNull();
    expect(batches()).toEqual([0, 5]);
  });

  it("is noticed of a batch that others do not come after, and mended", () => {
    model.receive(frame(0, { recorded: 1 }), bothChunks([0]));
    model.receive(frame(1, { recorded: 2 }), bothChunks([5 + 2 ** 20])); // a bit of it was flipped
    for (const next of [2, 3]) {
      model.receive(frame(next, { recorded: next + 1 }), bothChunks([5 * next]));
      expect(session.store.state.problem?.hint).toContain("do not come after those before");
      expect(batches()).toEqual([0, 5 + 2 ** 20]);
    }
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    model.receive(whole({ next: 4, recorded: 4 }), bothChunks([0, 5, 10, 15]));
    expect(session.store.state.problem).toBeNull();
    expect(batches()).toEqual([0, 5, 10, 15]);
  });

  it("shows a run that cannot be read, and what of it can", () => {
    start({ _run: { epoch: 0, next: 1, recorded: 1, chunks: [new ArrayBuffer(3)] } });
    expect(session.store.state.problem).not.toBeNull();
    start({
      _run: { epoch: 0, next: 2, recorded: 3, chunks: [overviewChunk([0, 5]), new ArrayBuffer(3), detailsChunk([5])] },
    });
    expect(session.store.state.problem).not.toBeNull();
    expect(batches()).toEqual([0, 5]);
    expect(session.store.state.run.details.has(at(5))).toBe(true);
  });

  it("shows an exception in the kernel", () => {
    model.receive({ kind: "error", message: "Boom.", hint: "Try again." });
    expect(session.store.state.status).toMatchObject({ state: "error", message: "Boom.", hint: "Try again." });
  });

  it("keeps what was refused until the setting is changed again", () => {
    session.commands.set("horizon", 0);
    model.receive({ kind: "refused", name: "horizon", value: 0, message: "horizon must be at least 1" });
    expect(session.store.state.refused).toEqual({ horizon: "horizon must be at least 1" });
    expect(session.store.state.settings.horizon).toBe(2);
    session.commands.set("horizon", 3);
    expect(session.store.state.refused).toEqual({});
    model.change("horizon", 3);
    expect(session.store.state.settings.horizon).toBe(3);
  });

  it("says so when the kernel is silent, until it is heard", () => {
    session.commands.play();
    time.pass(SILENCE_MS);
    expect(session.store.state.silent).toBe(true);
    model.change("playing", true);
    expect(session.store.state.silent).toBe(false);
  });
});

describe("leases", () => {
  const leases = () => model.sent.filter((message) => message.kind === "lease");

  it("follow when the kernel says that training is wanted", () => {
    session.commands.play();
    expect(model.sent).toEqual([{ kind: "play" }]);
    model.change("playing", true);
    expect(leases()).toMatchObject([{ seq: 1, ms: LEASE_MS }]);
    const [{ client }] = leases();
    model.receive(frame(0, { client, seq: 1, last: false, playing: true }));
    expect(leases()).toHaveLength(1);
    model.receive(frame(1, { client, seq: 1, playing: true }));
    expect(leases()).toMatchObject([{ seq: 1 }, { seq: 2, client }]);
  });

  it("follow at once where training is under way", () => {
    start({ playing: true });
    expect(leases()).toHaveLength(1);
  });

  it("end when the last view is gone, and go on with the next", () => {
    start({ playing: true });
    const leaveSecond = session.join();
    leave();
    const [{ client }] = leases();
    model.receive(frame(0, { client, seq: 1, playing: true }));
    expect(leases()).toHaveLength(2);
    leaveSecond();
    model.receive(frame(1, { client, seq: 2, playing: true }));
    time.pass(60_000);
    expect(leases()).toHaveLength(2);
    session.join();
    expect(leases()).toHaveLength(3);
  });

  it("are not asked for by a model that is shown nowhere", () => {
    start();
    leave();
    model.change("playing", true);
    expect(leases()).toHaveLength(0);
  });

  it("survive frames that cannot be read and a reset in between", () => {
    start({ playing: true });
    const [{ client }] = leases();
    model.receive(frame(0, { client, seq: 1, playing: true }), [new ArrayBuffer(2)]);
    expect(leases()).toHaveLength(2);
    model.receive(whole({ epoch: 1 }));
    model.receive(frame(1, { client, seq: 2, playing: true }));
    expect(leases()).toHaveLength(3);
  });

  it("go on after a request that was already carried out", () => {
    start({ playing: true });
    const [{ client }] = leases();
    model.receive({ kind: "done", client, seq: 1 });
    expect(leases()).toHaveLength(2);
  });
});

describe("what the person does", () => {
  it("saves what the overview draws as traits, and follows them", () => {
    session.commands.choose("quantity", "loss");
    session.commands.choose("overlay", "horizon_length");
    session.commands.choose("log_scale", true);
    expect(model.saved).toEqual(["quantity", "overlay", "log_scale"]);
    model.change("overlay", null);
    expect(session.store.state).toMatchObject({ quantity: "loss", overlay: null, log_scale: true });
  });

  it("saves selection, measure and form as traits", () => {
    session.commands.select(200);
    session.commands.choose("measure", "share");
    session.commands.choose("form", "heatmap");
    expect(model.saved).toEqual(["selected", "measure", "form"]);
    expect(session.store.state).toMatchObject({ selected: 200, measure: "share", form: "heatmap" });
  });

  it("sends everything else as messages", () => {
    session.commands.set("learning_rate", 0.2);
    session.commands.set("horizon", "auto");
    session.commands.measureHorizon();
    session.commands.stop();
    session.commands.reset();
    expect(model.sent).toEqual([
      { kind: "set", name: "learning_rate", value: 0.2 },
      { kind: "set", name: "horizon", value: "auto" },
      { kind: "measure_horizon" },
      { kind: "stop" },
      { kind: "reset" },
    ]);
  });

  it("is said not to arrive when the way to the kernel is closed, and throws nothing", () => {
    model.close();
    session.commands.play();
    expect(session.store.state.silent).toBe(true);
    session.commands.step("batch");
    session.commands.set("horizon", 3);
    model.receive(frame(7));
    model.change("playing", true);
    expect([model.sent, time.pending()]).toEqual([[], 0]);
  });

  it("tells subscribers, until they leave", () => {
    let told = 0;
    const unsubscribe = session.store.subscribe(() => {
      told += 1;
    });
    model.receive(frame(0), [overviewChunk([0])]);
    expect(told).toBeGreaterThan(0);
    const before = told;
    unsubscribe();
    model.receive(frame(1));
    expect(told).toBe(before);
  });
});

it("leaves no listener and no timer behind", () => {
  start({ playing: true });
  session.commands.reset();
  session.destroy();
  expect([model.listening(), time.pending()]).toEqual([0, 0]);
});

describe("a file that is followed", () => {
  const file = (follows: boolean) => ({ follows, said: "", trouble: "" });
  const asked = () => model.sent.flatMap((message) => (message.kind === "follow" ? [message] : []));

  it("is looked into as soon as a view shows it, until nothing will be added; and again if somebody writes it again", () => {
    start({ _status: { ...STATUS, file: file(true) } });
    const [{ client, seq }] = asked();
    model.receive(frame(0, { client, seq, status: { ...STATUS, file: file(true) } }));
    time.pass(1000);
    expect(asked()).toHaveLength(2);
    model.receive(frame(1, { client, seq: asked()[1].seq, status: { ...STATUS, file: file(false) } }));
    time.pass(60_000);
    expect(asked()).toHaveLength(2);
    model.receive(frame(2, { status: { ...STATUS, file: file(true) } }));
    expect(asked()).toHaveLength(3);
  });

  it("is left alone while no view shows it", () => {
    leave();
    model = fakeModel({ _status: { ...STATUS, file: file(true) } });
    session = createSession(model.model, time.clock, fakeVisibility().visibility);
    time.pass(60_000);
    expect(asked()).toEqual([]);
  });
});
