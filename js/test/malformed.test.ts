/** What kernel and host deliver, damaged: a page says so, goes on with what is right, and never throws, hangs or takes much memory. */

import { afterAll, describe, expect, it, vi } from "vitest";
import { createRandom } from "../dev/synthetic";
import { syntheticCell, syntheticUnits } from "../dev/synthetic_parts";
import { createComparisonSession } from "../src/comparison/session";
import { type Chunk, decodeChunk } from "../src/protocol/chunks";
import type { ComparisonTraits } from "../src/protocol/comparison_contract";
import { createServerTalk } from "../src/session/server_talk";
import { createSession } from "../src/session/session";
import { createInnerModel } from "../src/sweep/inner_model";
import { createSweepSession } from "../src/sweep/session";
import { bothChunks, detailsChunk, NETWORK, overviewChunk, withHeader } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility, STATUS } from "./fakes";

vi.setConfig({ testTimeout: 60_000 });

const tried = new Map<string, number>();
const count = (what: string) => tried.set(what, (tried.get(what) ?? 0) + 1);
afterAll(() => {
  for (const [what, cases] of tried) console.info(`${cases.toLocaleString("en").padStart(8)}  ${what}`);
});

const SOUND: [string, ArrayBuffer][] = [
  ["overview", overviewChunk([0, 5, 10])],
  ["details", detailsChunk([0, 5])],
  ["details of a stream", detailsChunk([5], 0, 2, [["start", "i4", [1], [15]]])],
  ["units", syntheticUnits(9, NETWORK, null, "W_hh")],
  ["cell", syntheticCell(9, NETWORK, null, "cell:")],
];

/** Reads all that a page would of a chunk; gives how many numbers that are. */
function readAll(chunk: Chunk): number {
  if (chunk.kind === "overview") {
    for (const values of chunk.columns.values()) expect(values.length).toBe(chunk.count);
    return chunk.count * chunk.columns.size;
  }
  let numbers = 0;
  const take = (values: ArrayLike<number> | null) => {
    numbers += values?.length ?? 0;
  };
  for (let row = 0; row < chunk.count; row += 1) {
    const content = chunk.read(row);
    if ("surfaces" in content) {
      for (const values of [content.loss, content.target, content.prediction, content.probability]) {
        if (values) expect(values.length).toBe(content.steps);
        take(values);
      }
      for (const name of content.surfaces) {
        const { pieces, lags, firstLag } = content.items(name, "norm");
        expect(pieces.length).toBe(lags * content.steps);
        expect(Math.abs(firstLag)).toBeLessThan(content.steps);
        take(pieces);
      }
    } else if ("units" in content) {
      expect(content.bars.length).toBe(content.units * content.steps);
      expect(content.profile.length).toBe(content.units * content.lags);
      take(content.bars);
    } else {
      for (const { sizes } of content.edges) {
        expect(sizes.length).toBe(content.lags * content.steps);
        take(sizes);
      }
    }
  }
  return numbers;
}

/** Either it is refused with an error, or all of it can be read. */
function tryChunk(bytes: Uint8Array<ArrayBuffer>): boolean {
  let chunk: Chunk;
  try {
    chunk = decodeChunk(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return false;
  }
  expect(readAll(chunk)).toBeLessThanOrEqual(bytes.byteLength);
  return true;
}

describe.each(SOUND)("a chunk: %s", (name, sound) => {
  const header = new DataView(sound).getUint32(0, true);

  it("with bytes flipped, cut and inserted is refused, or can be read", () => {
    const random = createRandom(name.length);
    const below = (limit: number) => Math.floor(random() * limit);
    let read = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = [...new Uint8Array(sound)];
      for (let change = 0; change <= below(3); change += 1) {
        const at = random() < 0.8 ? below(4 + header) : below(bytes.length);
        const what = below(5);
        if (what === 0) bytes[at] ^= 1 << below(8);
        else if (what === 1) bytes[at] = below(256);
        else if (what === 2) bytes.splice(at);
        else if (what === 3) bytes.splice(at, 0, ...Array.from({ length: 1 + below(9) }, () => below(256)));
        else bytes.splice(at, 1 + below(9));
      }
      count("chunks with bytes flipped, cut and inserted");
      if (tryChunk(Uint8Array.from(bytes))) read += 1;
    }
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(2_000);
  });

  it("with a header in which one thing is another is refused, or can be read", () => {
    const told = JSON.parse(new TextDecoder().decode(new Uint8Array(sound, 4, header)));
    for (const odd of oddForms(told)) {
      count("chunks with a header that says something else");
      tryChunk(withHeader(JSON.stringify(odd) ?? "", new Uint8Array(sound, 4 + header)));
    }
  });
});

const HUGE = 2 ** 40;
const VALUES: unknown[] = [
  undefined,
  null,
  true,
  -1,
  0,
  1,
  0.5,
  1e9,
  HUGE,
  2 ** 60,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "x",
  "__proto__",
  "<img src=x onerror=alert(1)>",
  "\ud800",
  "y".repeat(10_000),
  [],
  [1],
  [null],
  [[HUGE]],
  ["f4"],
  {},
  { x: 1 },
  JSON.parse('{"__proto__": {"x": 1}}'),
];

/** All forms of a value in which one part is of another kind, or missing. */
function* oddForms(value: unknown, depth = 0): Generator<unknown> {
  yield* depth < 2 ? VALUES : VALUES.filter((_, place) => place % 3 === 0);
  if (depth > 3 || typeof value !== "object" || value === null) return;
  for (const [name, one] of Object.entries(value)) {
    for (const odd of oddForms(one, depth + 1)) {
      if (Array.isArray(value)) yield value.map((other, place) => (String(place) === name ? odd : other));
      else yield { ...value, [name]: odd };
    }
    if (Array.isArray(value)) break; // its others are like its first
  }
}

const cue = { batch: 0, kind: "tallest", score: 1, reason: "why" };
const choice = { horizon: 2, tolerance: 0.1, batch: 5, losses: 8, residual: [1, null] };
const samples = { first: null, now: { batch: 1, text: "x" } };
const status = {
  ...STATUS,
  file: { follows: false, said: "x", trouble: "" },
  diagnoses: [{ kind: "reach", name: "x", sentence: "y", remedy: "z" }],
};
const news = { epoch: 0, frame: 0, recorded: 1, status, samples, cues: [cue], choice };
const head = { client: "c", seq: 1, last: true, playing: false };
const OF_RUN: Record<string, unknown>[] = [
  { kind: "frame", ...head, ...news },
  { kind: "whole", epoch: 0, next: 1, recorded: 1, status, samples, cues: [cue], choice },
  { kind: "details", client: "c", epoch: 0, batch: 0, stream: null, part: null, held: true, nearest: null, reason: "" },
  { kind: "busy", client: "c", seq: 1 },
  { kind: "done", client: "c", seq: 1 },
  { kind: "code", client: "c", line: "x" },
  { kind: "refused", name: "horizon", value: 1, message: "no" },
  { kind: "error", message: "m", hint: "h" },
];

/** A state that a view can draw: what is not so would throw there. */
function requireDrawable(state: ReturnType<typeof createSession>["store"]["state"]) {
  expect(typeof state.status.state).toBe("string");
  expect(typeof state.status.message).toBe("string");
  for (const one of state.status.diagnoses ?? []) expect(typeof one.sentence).toBe("string");
  for (const one of state.cues) expect(typeof one.reason).toBe("string");
  expect(Number.isSafeInteger(state.recorded)).toBe(true);
  expect(state.run.length).toBe(state.run.batches().length);
  expect(Array.isArray(state.choice?.residual ?? [])).toBe(true);
  for (const words of Object.values(state.refused)) expect(typeof words).toBe("string");
}

function started() {
  const model = fakeModel();
  const time = fakeClock();
  const session = createSession(model.model, time.clock, fakeVisibility().visibility);
  session.join();
  return { model, time, session };
}

describe("a page of one run", () => {
  it.each(OF_RUN)("takes $kind in every odd form, says what it cannot read, and goes on", (message) => {
    for (const odd of oddForms(message)) {
      count("messages of the kernel to a page of one run");
      const { model, time, session } = started();
      model.receive(odd, bothChunks([0]));
      requireDrawable(session.store.state);
      if (typeof odd !== "object" || odd === null || Array.isArray(odd) || !("kind" in odd)) {
        expect(session.store.state.problem?.hint).toContain("kind");
      }
      time.pass(60_000);
      // The kernel answers the page, which noticed or did not, with the whole run.
      model.receive({ ...OF_RUN[1], epoch: 99 }, bothChunks([3]));
      expect(session.store.state.problem).toBeNull();
      expect([...session.store.state.run.batches()]).toEqual([3]);
      session.destroy();
      expect(time.pending()).toBe(0);
    }
  });

  it("takes chunks that are damaged in a frame, and goes on", () => {
    const random = createRandom(7);
    for (let round = 0; round < 300; round += 1) {
      count("frames with damaged chunks");
      const { model, session } = started();
      const bytes = new Uint8Array(overviewChunk([0]).slice(0));
      for (let change = 0; change < 3; change += 1) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      model.receive({ kind: "frame", ...head, ...news }, [bytes.buffer]);
      requireDrawable(session.store.state);
      model.receive({ ...OF_RUN[1], epoch: 99 }, bothChunks([4]));
      expect([...session.store.state.run.batches()]).toEqual([4]);
      session.destroy();
    }
  });

  it("names the field", () => {
    const { model, session } = started();
    model.receive({ ...OF_RUN[0], recorded: "many" });
    expect(session.store.state.problem).toEqual({
      message: "A part of the run could not be read.",
      hint: "a message of kind frame has no such recorded",
    });
    model.receive({ kind: "dance" });
    expect(session.store.state.problem?.hint).toBe("a message of kind dance is not known here");
  });
});

describe("a page of a comparison", () => {
  const { frame: number, recorded, epoch } = news;
  const side = { epoch, frame: number, recorded, status, samples, cues: [cue], choice };
  const messages: Record<string, unknown>[] = [
    { kind: "frame", ...head, sides: [side, side], chunks: [2, 2], contrast: { sentence: "x", mark: null } },
    { ...OF_RUN[1], side: 1 },
    { ...OF_RUN[2], side: 1 },
    ...OF_RUN.slice(3),
  ];
  const { _labels, _info, _run, _status, _samples, _cues, _choice } = fakeModel().traits;
  const own = { _labels, _info, _status, _samples, _cues, _choice, learning_rate: 0.1, horizon: 2, record_every: 5 };

  it.each(messages)("takes $kind in every odd form, and goes on", (message) => {
    for (const odd of oddForms(message)) {
      count("messages of the kernel to a page of a comparison");
      const describe = (name: string) => ({ name, settings: "", weights: 1 });
      const traits = {
        scale: "shared",
        _sides: { sides: [describe("a"), describe("b")], remarks: [] },
        _contrast: { sentence: "" },
        _side_0: { ...own, _run: { ..._run, chunks: [] } },
        _side_1: { ...own, _run: { ..._run, chunks: [] } },
      };
      const { model, receive } = fakeModel(traits as never);
      const time = fakeClock();
      const visibility = fakeVisibility().visibility;
      const session = createComparisonSession(model as never, time.clock, visibility);
      session.join();
      receive(odd, [...bothChunks([0]), ...bothChunks([0])]);
      for (const one of session.sides) requireDrawable(one.store.state);
      expect(
        typeof (session.store.state satisfies Pick<ComparisonTraits, "scale"> & { sentence: string }).sentence,
      ).toBe("string");
      time.pass(60_000);
      receive({ ...messages[1], epoch: 99 }, bothChunks([3]));
      expect([...session.sides[1].store.state.run.batches()]).toEqual([3]);
      session.destroy();
      expect(time.pending()).toBe(0);
    }
  });
});

describe("a page of a sweep", () => {
  const trial = { number: 0, values: [1], status: "done", batch: 1, loss: null, horizon: 2, at_least: false };
  const row = { ...trial, said: "", hint: "", trend: [[0, 1]], here: true };
  const messages: Record<string, unknown>[] = [
    { kind: "rows", client: "c", seq: 1, rows: [row], finished: false },
    { kind: "relay", id: 0, data: { method: "update", state: { measure: "norm" }, buffer_paths: [] } },
    { kind: "refused", message: "no" },
    { kind: "error", message: "m", hint: "h" },
  ];

  it.each(messages)("takes $kind in every odd form, and goes on", (message) => {
    for (const odd of oddForms(message)) {
      count("messages of the kernel to a page of a sweep");
      const table = { columns: ["x"], batches: 1, rows: [structuredClone(row)], finished: false };
      const traits = { sort_by: "", descending: false, _table: table, _opened: { id: 0, numbers: [], state: null } };
      const { model, receive } = fakeModel(traits as never);
      const session = createSweepSession(model as never, fakeClock().clock, fakeVisibility().visibility);
      receive(odd);
      expect(session.store.state.table.rows).toHaveLength(1);
      expect(typeof session.store.state.table.rows[0].said).toBe("string");
      receive({ kind: "rows", client: null, seq: 0, rows: [{ ...row, batch: 7 }], finished: true });
      expect(session.store.state.table.rows[0].batch).toBe(7);
      session.destroy();
    }
  });

  it("puts relayed buffers nowhere but into the state that came along", () => {
    const inner = createInnerModel<Record<string, unknown>>({ x: 1 }, () => {});
    for (const path of [["__proto__", "y"], ["constructor", "prototype", "y"], ["no", "such"], [], "x", null]) {
      count("messages of the kernel to a page of a sweep");
      const data = { method: "update", state: { x: { y: null } }, buffer_paths: [path] };
      try {
        inner.receive(data as never, [new DataView(new ArrayBuffer(4))]);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      expect(({} as Record<string, unknown>).y).toBeUndefined();
    }
  });
});

describe("a page that asks a server", () => {
  it("takes an answer that is damaged for none", async () => {
    const random = createRandom(3);
    const text = new TextEncoder().encode(JSON.stringify([{ content: { kind: "frame" }, lengths: [4] }]));
    const sound = new Uint8Array(8 + text.length);
    new DataView(sound.buffer).setUint32(0, text.length, true);
    sound.set(text, 4);
    for (let round = 0; round < 300; round += 1) {
      count("answers of a server that are damaged");
      const bytes = sound.slice(0, round % 3 === 0 ? Math.floor(random() * sound.length) : sound.length);
      for (let change = 0; change < 3; change += 1) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      const ask = createServerTalk({
        post: async () => bytes.buffer,
        hear: () => {},
        stream: () => null,
        reload: () => {},
      });
      await ask({ kind: "resync", client: "c" });
    }
  });
});
