/**
 * The chain of requests for training time, or for what another process has added to the file that is shown.
 *
 * At most one request is under way. The next lease is asked for only when the last frame of the one before has arrived:
 * an earlier one could find the kernel's lock taken. A request that nothing is heard of is sent again under its own
 * `seq`, so the kernel carries it out once and the chain survives a lost message.
 */

import type { Clock, Visibility } from "../browser/clock";
import type { Request } from "../protocol/contract";

export const LEASE_MS = 300;
export const BUSY_MS = 250;
export const SILENCE_MS = 5000;

export interface Requests {
  /** Asks for a lease or what is new, unless a request is under way, nobody can see it or neither is wanted. */
  play(): void;
  step(until: "batch" | "record"): void;
  /** Any sign of life from the kernel. */
  heard(): void;
  /** The request was carried out; `again` says whether training is still wanted. */
  ended(client: string | null, seq: number, again: boolean): void;
  /** Something else trains just now. */
  busy(client: string, seq: number): void;
  /** Training failed in the kernel: the request will get no last frame. */
  failed(): void;
  destroy(): void;
}

export interface RequestsOptions {
  client: string;
  /** Gives whether it was sent: what cannot be is not tried again. */
  send: (request: Request) => boolean;
  wanted: () => boolean;
  /** Whether another process may add to what is shown. */
  following: () => boolean;
  onSilence: () => void;
  clock: Clock;
  visibility: Visibility;
}

export function createRequests(options: RequestsOptions): Requests {
  const { client, send, wanted, following, onSilence, clock, visibility } = options;
  let seq = 0;
  let current: Request | null = null;
  let cancelTimer = () => {};

  function after(ms: number, action: () => void) {
    cancelTimer();
    cancelTimer = clock.after(ms, action);
  }

  function ask(request: Request) {
    current = request;
    if (send(request)) after(SILENCE_MS, onTimeout);
    else clear();
  }

  function onTimeout() {
    if (!current || !visibility.visible()) return;
    onSilence();
    if (isOutdated()) play();
    else ask(current);
  }

  function clear() {
    current = null;
    cancelTimer();
  }

  /** Nobody waits for a step any more once training is wanted: asked for again, it would pause that. */
  const isOutdated = () => current?.kind === "step" && wanted();

  function play() {
    if (isOutdated()) clear();
    if (current || !visibility.visible()) return;
    if (!wanted() && !following()) return;
    seq += 1;
    ask(wanted() ? { kind: "lease", client, seq, ms: LEASE_MS } : { kind: "follow", client, seq });
  }

  const isCurrent = (ofClient: string | null, ofSeq: number) => ofClient === client && current?.seq === ofSeq;

  const stopListening = visibility.onChange(() => {
    if (!visibility.visible()) return;
    if (current && !isOutdated()) after(SILENCE_MS, onTimeout);
    else play();
  });

  return {
    play,
    step(until) {
      if (current || wanted()) return;
      seq += 1;
      ask({ kind: "step", client, seq, until });
    },
    heard() {
      if (current) after(SILENCE_MS, onTimeout);
    },
    ended(ofClient, ofSeq, again) {
      if (!isCurrent(ofClient, ofSeq)) return;
      clear();
      if (again) play();
      // A file is looked into after a while. Stopped and started again within one message's time: look once more when the trait has settled.
      else after(BUSY_MS, play);
    },
    busy(ofClient, ofSeq) {
      if (!isCurrent(ofClient, ofSeq) || !current) return;
      const request = current;
      clear();
      if (request.kind === "lease") after(BUSY_MS, play);
      else after(BUSY_MS, () => wanted() || ask(request));
    },
    failed: clear,
    destroy() {
      clear();
      stopListening();
    },
  };
}
