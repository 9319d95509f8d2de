import { beforeEach, describe, expect, it } from "vitest";
import type { Request } from "../src/protocol/contract";
import { BUSY_MS, createRequests, LEASE_MS, type Requests, SILENCE_MS } from "../src/session/requests";
import { fakeClock, fakeVisibility } from "./fakes";

let sent: Request[];
let wanted: boolean;
let following: boolean;
let reachable: boolean;
let silences: number;
let time: ReturnType<typeof fakeClock>;
let page: ReturnType<typeof fakeVisibility>;
let requests: Requests;

const lease = (seq: number) => ({ kind: "lease", client: "me", seq, ms: LEASE_MS });

beforeEach(() => {
  sent = [];
  wanted = true;
  following = false;
  reachable = true;
  silences = 0;
  time = fakeClock();
  page = fakeVisibility();
  requests = createRequests({
    client: "me",
    send: (request) => {
      if (reachable) sent.push(request);
      return reachable;
    },
    wanted: () => wanted,
    following: () => following,
    onSilence: () => {
      silences += 1;
    },
    clock: time.clock,
    visibility: page.visibility,
  });
});

describe("the chain of leases", () => {
  it("asks for the next lease only when its own last frame has arrived", () => {
    requests.play();
    requests.play();
    expect(sent).toEqual([lease(1)]);
    requests.ended("another", 1, true);
    requests.ended("me", 7, true);
    requests.ended(null, 0, true);
    expect(sent).toEqual([lease(1)]);
    requests.ended("me", 1, true);
    expect(sent).toEqual([lease(1), lease(2)]);
  });

  it("asks for nothing while training is not wanted", () => {
    wanted = false;
    requests.play();
    time.pass(60_000);
    expect(sent).toEqual([]);
  });

  it("tries nothing again that cannot be sent, until it is asked to", () => {
    reachable = false;
    requests.play();
    expect(time.pending()).toBe(0);
    reachable = true;
    requests.play();
    expect(sent).toHaveLength(1);
  });

  it("stops with the frame that says so", () => {
    requests.play();
    wanted = false;
    requests.ended("me", 1, false);
    time.pass(60_000);
    expect(sent).toEqual([lease(1)]);
  });

  it("goes on if training was stopped and started again within one message's time", () => {
    requests.play();
    requests.ended("me", 1, false);
    time.pass(BUSY_MS);
    expect(sent).toEqual([lease(1), lease(2)]);
  });

  it("asks again later when something else trains", () => {
    requests.play();
    requests.busy("me", 1);
    time.pass(BUSY_MS - 1);
    expect(sent).toHaveLength(1);
    time.pass(1);
    expect(sent).toEqual([lease(1), lease(2)]);
  });

  it("sends the same request again after silence, and never gives up", () => {
    requests.play();
    time.pass(SILENCE_MS - 1);
    requests.heard();
    time.pass(SILENCE_MS - 1);
    expect(sent).toEqual([lease(1)]);
    time.pass(1);
    expect(sent).toEqual([lease(1), lease(1)]);
    expect(silences).toBe(1);
    time.pass(SILENCE_MS);
    expect(sent).toEqual([lease(1), lease(1), lease(1)]);
    requests.ended("me", 1, true);
    expect(sent.at(-1)).toEqual(lease(2));
  });

  it("rests while the page is hidden and goes on when it is seen", () => {
    requests.play();
    page.show(false);
    requests.ended("me", 1, true);
    time.pass(60_000);
    expect(sent).toEqual([lease(1)]);
    page.show(true);
    expect(sent).toEqual([lease(1), lease(2)]);
  });

  it("does not repeat a lost request while hidden, but does once it is seen again", () => {
    requests.play();
    page.show(false);
    time.pass(60_000);
    expect(sent).toHaveLength(1);
    page.show(true);
    time.pass(SILENCE_MS);
    expect(sent).toEqual([lease(1), lease(1)]);
  });

  it("gives up the request that failed in the kernel", () => {
    requests.play();
    wanted = false;
    requests.failed();
    time.pass(60_000);
    expect(sent).toEqual([lease(1)]);
    wanted = true;
    requests.play();
    expect(sent.at(-1)).toEqual(lease(2));
  });

  it("leaves no timer behind", () => {
    requests.play();
    requests.destroy();
    expect(time.pending()).toBe(0);
    page.show(true);
    expect(sent).toHaveLength(1);
  });
});

describe("steps", () => {
  it("give way to playing: a lost one that was asked for again would pause it", () => {
    wanted = false;
    requests.step("record");
    wanted = true;
    requests.play();
    expect(sent.at(-1)).toEqual(lease(2));
    requests.ended("me", 1, true);
    time.pass(3 * SILENCE_MS);
    expect(sent.slice(1)).toEqual(sent.slice(1).map(() => lease(2)));
  });

  it("give way to playing that began while nobody could see it", () => {
    wanted = false;
    requests.step("record");
    page.show(false);
    wanted = true;
    requests.play();
    page.show(true);
    time.pass(3 * SILENCE_MS);
    expect(sent.slice(1)).toEqual(sent.slice(1).map(() => lease(2)));
    expect(sent.length).toBeGreaterThan(1);
  });

  it("are numbered like leases and not sent while training is wanted", () => {
    requests.step("batch");
    expect(sent).toEqual([]);
    wanted = false;
    requests.step("batch");
    requests.step("batch");
    requests.ended("me", 1, false);
    requests.step("record");
    expect(sent).toEqual([
      { kind: "step", client: "me", seq: 1, until: "batch" },
      { kind: "step", client: "me", seq: 2, until: "record" },
    ]);
  });

  it("wait for what else trains, even while its frames arrive", () => {
    wanted = false;
    requests.step("batch");
    requests.busy("me", 1);
    time.pass(BUSY_MS / 2);
    requests.heard();
    time.pass(BUSY_MS / 2);
    expect(sent.map(({ seq }) => seq)).toEqual([1, 1]);
  });
});

describe("a file that another process writes", () => {
  const follow = (seq: number) => ({ kind: "follow", client: "me", seq });

  beforeEach(() => {
    wanted = false;
    following = true;
  });

  it("is looked into again a while after the answer", () => {
    requests.play();
    expect(sent).toEqual([follow(1)]);
    requests.ended("me", 1, false);
    time.pass(BUSY_MS - 1);
    expect(sent).toEqual([follow(1)]);
    time.pass(1);
    expect(sent).toEqual([follow(1), follow(2)]);
  });

  it("is looked into no more when nothing will be added, nor while nobody sees it", () => {
    requests.play();
    page.show(false);
    requests.ended("me", 1, false);
    time.pass(60_000);
    expect(sent).toEqual([follow(1)]);
    page.show(true);
    expect(sent).toEqual([follow(1), follow(2)]);
    following = false;
    requests.ended("me", 2, false);
    time.pass(60_000);
    expect(sent).toHaveLength(2);
  });

  it("is asked about again after silence", () => {
    requests.play();
    time.pass(SILENCE_MS);
    expect(sent).toEqual([follow(1), follow(1)]);
    expect(silences).toBe(1);
  });
});
