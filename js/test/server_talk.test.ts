/** A page that follows a run file: it asks, hears, and says when nobody answers. */

import { describe, expect, it } from "vitest";
import { createServerTalk, LOOK_MS, RARE_LOOK_MS } from "../src/server_talk";
import { fakeClock } from "./fakes";

/** What `packed` of `follower.py` does. */
function pack(messages: [content: object, buffers: number[][]][]): ArrayBuffer {
  const listed = messages.map(([content, buffers]) => ({ content, lengths: buffers.map(({ length }) => length) }));
  const text = JSON.stringify(listed);
  const head = new TextEncoder().encode(text + " ".repeat((4 - (text.length % 4)) % 4));
  const rest = messages.flatMap(([, buffers]) => buffers.flat());
  const body = new Uint8Array(4 + head.length + rest.length);
  new DataView(body.buffer).setUint32(0, head.length, true);
  body.set(head, 4);
  body.set(rest, 4 + head.length);
  return body.buffer;
}

function start() {
  const time = fakeClock();
  const posted: unknown[] = [];
  const heard: [kind: string, bytes: number[][]][] = [];
  const said: string[] = [];
  let answer: ArrayBuffer | null = pack([]);
  let loaded = 0;
  const talk = createServerTalk({
    async post(body) {
      posted.push(JSON.parse(body));
      if (!answer) throw new TypeError("Failed to fetch");
      return answer;
    },
    hear: ({ kind }, buffers) => heard.push([kind, buffers.map(({ buffer }) => [...new Uint8Array(buffer)])]),
    say: (words) => said.push(words),
    stream: () => 2,
    reload() {
      loaded += 1;
    },
    clock: time.clock,
  });
  return {
    talk,
    time,
    posted,
    heard,
    said,
    loaded: () => loaded,
    answer(messages: Parameters<typeof pack>[0] | null) {
      answer = messages && pack(messages);
    },
  };
}

describe("a page's talk with its server", () => {
  it("tells what it hears, each buffer on its own", async () => {
    const { talk, heard, said, answer } = start();
    answer([
      [{ kind: "activity", words: "training" }, []],
      [
        { kind: "frame" },
        [
          [1, 2, 3, 4],
          [5, 6, 7, 8, 9, 10, 11, 12],
        ],
      ],
    ]);
    expect(await talk.ask({ kind: "resync", client: "c" })).toBe(true);
    expect(said).toEqual(["training"]);
    expect(heard).toEqual([
      [
        "frame",
        [
          [1, 2, 3, 4],
          [5, 6, 7, 8, 9, 10, 11, 12],
        ],
      ],
    ]);
  });

  it("looks again and again, rarely while nobody answers", async () => {
    const { talk, time, posted, said, answer } = start();
    await talk.look();
    expect(posted).toEqual([{ kind: "look", stream: 2 }]);
    answer(null);
    time.pass(LOOK_MS);
    await new Promise((resolve) => setTimeout(resolve));
    expect(posted.length).toBe(2);
    expect(said.at(-1)).toContain("does not answer");
    time.pass(LOOK_MS);
    expect(posted.length).toBe(2);
    time.pass(RARE_LOOK_MS);
    expect(posted.length).toBe(3);
  });

  it("loads anew when the file has another run", async () => {
    const { talk, loaded, answer } = start();
    answer([[{ kind: "reload" }, []]]);
    await talk.look();
    expect(loaded()).toBe(1);
  });
});
