import { beforeEach, describe, expect, it } from "vitest";
import type { Frame, Traits } from "../src/contract";
import { LEASE_MS, SILENCE_MS } from "../src/requests";
import { createSession, type Session } from "../src/session";
import { smallChunk } from "./chunks";
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
    client: null,
    seq: 0,
    last: true,
    playing: false,
    status: { ...STATUS, batch: number + 1 },
    ...changes,
  };
}

const batches = () => Array.from(session.store.state.run.batches());

beforeEach(() => start());

describe("what arrives", () => {
  it("begins with what the model holds", () => {
    start({ _run: { epoch: 3, next: 9, chunks: [smallChunk([0, 5]), new DataView(smallChunk([10]))] } });
    expect(batches()).toEqual([0, 5, 10]);
  });

  it("appends frames, in the store and in the model's own attributes", () => {
    const { _run, _status, _samples } = model.traits;
    model.receive(frame(0), [smallChunk([0])]);
    const samples = { first: { batch: 0, text: "x" }, now: { batch: 9, text: "y" } };
    model.receive(frame(1, { samples }), [smallChunk([1, 2]), smallChunk([3])]);
    expect(batches()).toEqual([0, 1, 2, 3]);
    expect(model.traits._run).toBe(_run);
    expect([_run.next, _run.chunks.length]).toEqual([2, 3]);
    expect(_status.batch).toBe(2);
    expect(_samples).toEqual(samples);
    expect(session.store.state.samples).toEqual(samples);
    expect(model.sent).toEqual([]);
  });

  it("keeps chunks as views that start their own buffer", () => {
    const encoded = smallChunk([4]);
    const message = new Uint8Array(encoded.byteLength + 8);
    message.set(new Uint8Array(encoded), 8);
    model.receive(frame(0), [new DataView(message.buffer, 8)]);
    const [kept] = model.traits._run.chunks as DataView[];
    expect(kept).toBeInstanceOf(DataView);
    expect([kept.byteOffset, kept.buffer.byteLength]).toEqual([0, encoded.byteLength]);
  });

  it("ignores frames that came before, and those of an epoch that is over", () => {
    model.receive(frame(0), [smallChunk([0])]);
    model.receive(frame(0), [smallChunk([0])]);
    start({ _run: { epoch: 2, next: 0, chunks: [] } });
    model.receive(frame(0, { epoch: 1 }), [smallChunk([7])]);
    expect(batches()).toEqual([]);
    expect(model.sent).toEqual([]);
  });

  it("asks for the whole once when a frame is missing, and takes it", () => {
    model.receive(frame(0), [smallChunk([0])]);
    model.receive(frame(2), [smallChunk([2])]);
    model.receive(frame(3), [smallChunk([3])]);
    expect(model.sent).toMatchObject([{ kind: "resync" }]);
    expect(batches()).toEqual([0]);
    const whole = {
      kind: "whole",
      epoch: 0,
      next: 4,
      status: STATUS,
      samples: { first: null, now: null },
      cues: [],
      choice: null,
    };
    model.receive(whole, [smallChunk([0, 1]), smallChunk([2, 3])]);
    model.receive(frame(4), [smallChunk([4])]);
    expect(batches()).toEqual([0, 1, 2, 3, 4]);
    expect(model.traits._run).toMatchObject({ epoch: 0, next: 5 });
    expect(model.traits._run.chunks).toHaveLength(3);
  });

  it("keeps cues, in the store and in the model's own attributes", () => {
    const { _cues } = model.traits;
    const cue = { batch: 5, kind: "tallest" as const, score: 2, reason: "Tallest." };
    model.receive(frame(0, { cues: [cue] }));
    model.receive(frame(1));
    expect(model.traits._cues).toBe(_cues);
    expect([_cues, session.store.state.cues]).toEqual([[cue], [cue]]);
    model.receive({
      kind: "whole",
      epoch: 1,
      next: 0,
      status: STATUS,
      samples: { first: null, now: null },
      cues: [],
      choice: null,
    });
    expect([_cues, session.store.state.cues]).toEqual([[], []]);
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
    model.receive(frame(0), [smallChunk([0])]);
    model.receive({
      kind: "whole",
      epoch: 1,
      next: 0,
      status: STATUS,
      samples: { first: null, now: null },
      cues: [],
      choice: null,
    });
    expect(batches()).toEqual([]);
    model.receive(frame(0, { epoch: 1 }), [smallChunk([0])]);
    expect(batches()).toEqual([0]);
  });

  it("rebuilds the run when the kernel sends the trait again", () => {
    model.receive(frame(0), [smallChunk([0])]);
    model.change("_run", { epoch: 0, next: 8, chunks: [smallChunk([3, 4])] });
    expect(batches()).toEqual([3, 4]);
  });
});

describe("trouble", () => {
  it("shows a chunk that cannot be read, and goes on", () => {
    model.receive(frame(0), [new ArrayBuffer(2)]);
    expect(session.store.state.problem?.hint).toContain("no header");
    model.receive(frame(1), [smallChunk([1])]);
    expect(batches()).toEqual([1]);
    expect(model.traits._run.chunks).toHaveLength(1);
  });

  it("shows a run that cannot be read", () => {
    start({ _run: { epoch: 0, next: 1, chunks: [new ArrayBuffer(3)] } });
    expect(session.store.state.problem).not.toBeNull();
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
    model.receive({
      kind: "whole",
      epoch: 1,
      next: 0,
      status: STATUS,
      samples: { first: null, now: null },
      cues: [],
      choice: null,
    });
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
    model.receive(frame(0), [smallChunk([0])]);
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
