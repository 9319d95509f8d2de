/** A page's talk with the server that it came from, which follows a run file: what a model would send to a kernel goes there. */

import { isObject } from "../protocol/checks";
import type { FromKernel, Stream, ToKernel, Traits } from "../protocol/contract";
import { createPlainModel, type PlainModel } from "./plain_model";

/** What else a server says: the file has another run than the page was made for. */
type FromServer = FromKernel | { kind: "reload" };

export interface ServerTalkOptions {
  /** Sends the body of a request, and gives that of the answer. Rejects if there is none. */
  post: (body: string) => Promise<ArrayBuffer>;
  /** What a page is told, with the chunks that go along. */
  hear: (message: FromKernel, buffers: DataView[]) => void;
  /** Which stream is shown: a server has no traits to look it up in. */
  stream: () => Stream;
  reload: () => void;
}

/** Returns what takes a message to the server. A server that does not answer is as silent as a kernel. */
export function createServerTalk({ post, hear, stream, reload }: ServerTalkOptions) {
  return async (message: ToKernel) => {
    const answer = await post(JSON.stringify({ stream: stream(), ...message })).catch(() => null);
    for (const { content, buffers } of answer ? unpacked(answer) : []) {
      if (content.kind === "reload") reload();
      else hear(content, buffers);
    }
  };
}

/** The model of a page that a server has made: it is told what the server says. */
export function createServedModel(traits: Traits, { post, reload }: Pick<ServerTalkOptions, "post" | "reload">) {
  const hear: ServerTalkOptions["hear"] = (message, buffers) => served.emit("msg:custom", message, buffers);
  const served: PlainModel<Traits> = createPlainModel(
    traits,
    createServerTalk({ post, hear, stream: () => traits.stream, reload }),
  );
  return served.model;
}

/** What cannot be read is as good as no answer. */
function unpacked(body: ArrayBuffer) {
  try {
    return unpack(body);
  } catch {
    return [];
  }
}

/** Messages and their buffers: see `packed` in `follower.py`. */
function unpack(body: ArrayBuffer): { content: FromServer; buffers: DataView[] }[] {
  let end = 4 + new DataView(body).getUint32(0, true);
  const head: { content: FromServer; lengths: number[] }[] = JSON.parse(
    new TextDecoder().decode(new Uint8Array(body, 4, end - 4)),
  );
  if (!head.every(({ content, lengths }) => isObject(content) && Array.isArray(lengths)))
    throw new Error("no messages");
  return head.map(({ content, lengths }) => ({
    content,
    buffers: lengths.map((length) => {
      const start = end;
      end += length;
      return new DataView(body.slice(start, end));
    }),
  }));
}
