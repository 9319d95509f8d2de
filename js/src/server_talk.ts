/**
 * A page's talk with the server that it came from, which follows a run file: what the page's model sends goes there,
 * and so does, again and again, the question what is new. Twin of `follower.py`.
 */

import type { Clock } from "./clock";
import type { FromKernel, Stream, ToKernel } from "./contract";

/** What else a server says: what becomes of the file, or that it has another run than the page was made for. */
type FromServer = FromKernel | { kind: "activity"; words: string } | { kind: "reload" };
type ToServer = ToKernel | { kind: "look"; stream: Stream };

export interface ServerTalkOptions {
  /** Sends the body of a request, and gives that of the answer. Rejects if there is none. */
  post: (body: string) => Promise<ArrayBuffer>;
  /** What a page is told, with the chunks that go along. */
  hear: (message: FromKernel, buffers: DataView[]) => void;
  /** What becomes of the file, or of the server, in a sentence. */
  say: (words: string) => void;
  /** Which stream news is wanted of. */
  stream: () => Stream;
  reload: () => void;
  clock: Clock;
}

export const LOOK_MS = 500;
export const RARE_LOOK_MS = 5000;

export function createServerTalk({ post, hear, say, stream, reload, clock }: ServerTalkOptions) {
  async function ask(message: ToServer): Promise<boolean> {
    try {
      for (const { content, buffers } of unpack(await post(JSON.stringify(message)))) {
        if (content.kind === "activity") say(content.words);
        else if (content.kind === "reload") reload();
        else hear(content, buffers);
      }
      return true;
    } catch {
      say("The server does not answer: it has ended, or is busy. What is here stays.");
      return false;
    }
  }

  async function look() {
    const answered = await ask({ kind: "look", stream: stream() });
    clock.after(answered ? LOOK_MS : RARE_LOOK_MS, look);
  }

  return { ask, look };
}

/** Messages and their buffers: see `packed` in `follower.py`. */
function unpack(body: ArrayBuffer): { content: FromServer; buffers: DataView[] }[] {
  let end = 4 + new DataView(body).getUint32(0, true);
  const head: { content: FromServer; lengths: number[] }[] = JSON.parse(
    new TextDecoder().decode(new Uint8Array(body, 4, end - 4)),
  );
  return head.map(({ content, lengths }) => ({
    content,
    buffers: lengths.map((length) => {
      const start = end;
      end += length;
      return new DataView(body.slice(start, end));
    }),
  }));
}
