/** A page that is one file: what it holds is unpacked, and shown by a model without a kernel. */

import { describe, expect, it } from "vitest";
import { expand } from "../src/protocol/compact";
import type { Traits } from "../src/protocol/contract";
import { createPlainModel } from "../src/session/plain_model";
import { createSession } from "../src/session/session";
import { at, detailsChunk, overviewChunk } from "./chunks";
import { fakeClock, fakeModel, fakeVisibility } from "./fakes";

/** What `compact.py` does. */
async function compact(chunks: ArrayBuffer[]): Promise<string> {
  const head = Uint32Array.of(chunks.length, ...chunks.map(({ byteLength }) => byteLength));
  const whole = new Uint8Array(await new Blob([head, ...chunks]).arrayBuffer());
  const elements = whole.length / 4;
  const planes = whole.map((_, place) => whole[4 * (place % elements) + Math.floor(place / elements)]);
  const compressed = new Blob([planes]).stream().pipeThrough(new CompressionStream("gzip"));
  return encode(new Uint8Array(await new Response(compressed).arrayBuffer()));
}

function encode(bytes: Uint8Array): string {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let number = [0, 1, 2, 3].reduce((sum, place) => 256 * sum + (bytes[at + place] ?? 0), 0);
    let group = "";
    for (let digit = 0; digit < 5; digit += 1) {
      group = digits[number % 85] + group;
      number = Math.floor(number / 85);
    }
    text += group.slice(0, Math.min(4, bytes.length - at) + 1);
  }
  return text;
}

const bytes = (view: ArrayBufferView) => Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));

describe("chunks in a page", () => {
  it("come back as they were, each in a buffer of its own", async () => {
    const chunks = [overviewChunk([0, 5]), detailsChunk([0, 5])];
    const found = await expand(await compact(chunks));
    expect(found.map(bytes)).toEqual(chunks.map((chunk) => Array.from(new Uint8Array(chunk))));
    for (const view of found) expect(view.byteLength).toBe(view.buffer.byteLength);
  });

  it("may be none", async () => {
    expect(await expand(await compact([]))).toEqual([]);
  });

  it("are refused if they are damaged", async () => {
    const text = await compact([overviewChunk([0, 5])]);
    await expect(expand(text.slice(0, 40))).rejects.toThrow();
    await expect(expand(`${text.slice(0, 60)}AAAA${text.slice(64)}`)).rejects.toThrow();
    await expect(expand("no digits <>")).rejects.toThrow();
  });
});

describe("a model without a kernel", () => {
  function open(held: number[], traits: Partial<Traits> = {}) {
    const chunks = [overviewChunk([0, 5, 10, 15]), detailsChunk(held)];
    const run = { epoch: 0, next: 0, recorded: 4, chunks };
    const info = { ...fakeModel().traits._info, live: false, page: { details: held.length } };
    const time = fakeClock();
    const { model } = createPlainModel({ ...fakeModel().traits, _run: run, _info: info, ...traits }, () => {
      throw new Error("There is no kernel.");
    });
    const session = createSession(model, time.clock, fakeVisibility().visibility);
    session.join();
    return { session, time };
  }

  it("shows what it holds, and tells every view what is chosen", () => {
    const { session } = open([0, 5, 10, 15], { selected: 5 });
    let told = 0;
    session.store.subscribe(() => {
      told += 1;
    });
    expect(session.store.state.selected).toBe(5);
    expect(Array.from(session.store.state.run.batches())).toEqual([0, 5, 10, 15]);
    session.commands.select(10);
    session.commands.choose("measure", "share");
    expect(session.store.state).toMatchObject({ selected: 10, measure: "share", problem: null });
    expect(told).toBe(2);
  });

  it("asks nobody for what is not there, and knows at once that nobody answers", () => {
    const { session, time } = open([0, 10]);
    session.want({}, [at(5)]);
    expect(session.missing(at(5))).toEqual({ why: "silent" });
    expect(session.store.state.run.details.nearest(at(5))).toBe(0);
    expect(session.store.state.reached).toBe(false);
    expect(time.pending()).toBe(0);
  });
});
