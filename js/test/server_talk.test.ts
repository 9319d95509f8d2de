/** A page that follows a run file asks its server, and hears what it answers. */

import { describe, expect, it } from "vitest";
import { createServedModel, createServerTalk } from "../src/session/server_talk";
import { fakeModel } from "./fakes";

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
  const posted: unknown[] = [];
  const heard: [kind: string, bytes: number[][]][] = [];
  let answer: ArrayBuffer | null = pack([]);
  let loaded = 0;
  const ask = createServerTalk({
    async post(body) {
      posted.push(JSON.parse(body));
      if (!answer) throw new TypeError("Failed to fetch");
      return answer;
    },
    hear: ({ kind }, buffers) => heard.push([kind, buffers.map(({ buffer }) => [...new Uint8Array(buffer)])]),
    stream: () => 2,
    reload() {
      loaded += 1;
    },
  });
  return {
    ask,
    posted,
    heard,
    loaded: () => loaded,
    answer(messages: Parameters<typeof pack>[0] | null) {
      answer = messages && pack(messages);
    },
  };
}

describe("a page's talk with its server", () => {
  it("asks for the stream that is shown, or the one that is meant", async () => {
    const { ask, posted } = start();
    await ask({ kind: "follow", client: "c", seq: 1 });
    await ask({ kind: "details", client: "c", batch: 5, stream: null, part: null });
    expect(posted).toMatchObject([
      { kind: "follow", stream: 2 },
      { kind: "details", stream: null },
    ]);
  });

  it("tells what it hears, each buffer on its own", async () => {
    const { ask, heard, answer } = start();
    const buffers = [
      [1, 2, 3, 4],
      [5, 6, 7, 8, 9, 10, 11, 12],
    ];
    answer([
      [{ kind: "frame" }, buffers],
      [{ kind: "done" }, []],
    ]);
    await ask({ kind: "resync", client: "c" });
    expect(heard).toEqual([
      ["frame", buffers],
      ["done", []],
    ]);
  });

  it("is silent when nobody answers", async () => {
    const { ask, heard, answer } = start();
    answer(null);
    await ask({ kind: "follow", client: "c", seq: 1 });
    expect(heard).toEqual([]);
  });

  it("loads anew when the file has another run", async () => {
    const { ask, loaded, answer } = start();
    answer([[{ kind: "reload" }, []]]);
    await ask({ kind: "follow", client: "c", seq: 1 });
    expect(loaded()).toBe(1);
  });
});

it("the model of a page that a server has made is told what the server says, of the stream that it shows", async () => {
  const posted: unknown[] = [];
  const heard: unknown[] = [];
  const model = createServedModel(
    { ...fakeModel().traits, stream: 2 },
    {
      post: async (body) => {
        posted.push(JSON.parse(body));
        return pack([[{ kind: "done" }, []]]);
      },
      reload: () => {},
    },
  );
  const told = new Promise((resolve) =>
    model.on("msg:custom", (message) => {
      heard.push(message);
      resolve(null);
    }),
  );
  model.send({ kind: "follow", client: "c", seq: 1 });
  await told;
  expect([posted, heard]).toEqual([[{ kind: "follow", client: "c", seq: 1, stream: 2 }], [{ kind: "done" }]]);
});
