import { beforeEach, describe, expect, it } from "vitest";
import { createDetailRequests, type DetailRequests } from "../src/detail_requests";
import { createDetails } from "../src/details";
import { SILENCE_MS } from "../src/requests";
import { decodeDetails, detailsChunk } from "./chunks";
import { fakeClock } from "./fakes";

const chunkOf = (...batches: number[]) => decodeDetails(detailsChunk(batches));
const ONE = chunkOf(0).nbytes;

describe("the details that a page holds", () => {
  it("are found by batch", () => {
    const details = createDetails();
    details.add(chunkOf(0, 10));
    details.add(chunkOf(20));
    expect([0, 10, 20].map((batch) => details.get(batch)?.batch)).toEqual([0, 10, 20]);
    expect([details.get(5), details.has(5), details.has(10)]).toEqual([null, false, true]);
    expect([-3, 4, 6, 99].map(details.nearest)).toEqual([0, 0, 10, 20]);
    expect(createDetails().nearest(3)).toBeNull();
  });

  it("stay within their bound: the chunk that was longest not looked at goes first", () => {
    const details = createDetails(3.5 * ONE);
    for (const batch of [0, 1, 2]) details.add(chunkOf(batch));
    details.get(0);
    details.add(chunkOf(3));
    expect([0, 1, 2, 3].map(details.has)).toEqual([true, false, true, true]);
    details.get(0);
    for (let batch = 4; batch < 100; batch += 1) {
      details.add(chunkOf(batch));
      expect(details.get(0)?.batch).toBe(0);
      expect(details.nbytes).toBeLessThanOrEqual(3.5 * ONE);
    }
  });

  it("keep the newest chunk however large it is", () => {
    const details = createDetails(1);
    details.add(chunkOf(0, 1));
    details.add(chunkOf(2, 3));
    expect([0, 1, 2, 3].map(details.has)).toEqual([false, false, true, true]);
  });

  it("are counted once if they come again", () => {
    const details = createDetails();
    const first = chunkOf(0, 1);
    details.add(first);
    details.add(chunkOf(0));
    expect(details.nbytes).toBe(first.nbytes + ONE);
    details.add(chunkOf(1));
    expect(details.nbytes, "nothing of the first chunk counts any more").toBe(2 * ONE);
    expect([0, 1].map((batch) => details.get(batch)?.batch)).toEqual([0, 1]);
  });
});

describe("requests for details", () => {
  const [one, other] = [{}, {}];
  let sent: number[];
  let held: Set<number>;
  let reachable: boolean;
  let changes: number;
  let time: ReturnType<typeof fakeClock>;
  let requests: DetailRequests;

  beforeEach(() => {
    sent = [];
    held = new Set();
    reachable = true;
    changes = 0;
    time = fakeClock();
    requests = createDetailRequests({
      send: (batch) => {
        if (reachable) sent.push(batch);
        return reachable;
      },
      holds: (batch) => held.has(batch),
      onChange: () => {
        changes += 1;
      },
      clock: time.clock,
    });
  });

  function answer(batch: number) {
    held.add(batch);
    requests.answered(batch, true, null);
  }

  it("are one at a time, and the newest wish is the next", () => {
    for (const batch of [1, 2, 3, 4]) requests.want(one, batch);
    expect(sent).toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, 4]);
    answer(4);
    expect([sent, time.pending()]).toEqual([[1, 4], 0]);
  });

  it("serve every view", () => {
    requests.want(one, 1);
    requests.want(other, 2);
    answer(1);
    answer(2);
    expect(sent).toEqual([1, 2]);
    requests.want(one, 3);
    requests.want(other, 4);
    requests.want(other, null);
    requests.answered(3, false, 2);
    expect(sent).toEqual([1, 2, 3]);
  });

  it("are sent again after silence, for what is wanted then, ever more rarely", () => {
    requests.want(one, 1);
    requests.want(one, 2);
    expect(requests.missing(2)).toEqual({ why: "waiting" });
    time.pass(SILENCE_MS);
    expect([sent, requests.missing(2), changes]).toEqual([[1, 2], { why: "silent" }, 1]);
    time.pass(2 * SILENCE_MS - 1);
    expect(sent).toEqual([1, 2]);
    time.pass(1);
    expect(sent).toEqual([1, 2, 2]);
    time.pass(3_600_000);
    expect(sent.length).toBeLessThan(70);
    answer(2);
    expect([requests.missing(3), time.pending()]).toEqual([{ why: "waiting" }, 0]);
  });

  it("wait anew when the kernel is heard", () => {
    requests.want(one, 1);
    time.pass(SILENCE_MS);
    requests.heard();
    expect(requests.missing(1)).toEqual({ why: "waiting" });
    time.pass(SILENCE_MS);
    expect(sent).toEqual([1, 1, 1]);
  });

  it("end when nothing is wanted any more", () => {
    requests.want(one, 1);
    requests.want(one, null);
    time.pass(3_600_000);
    expect([sent, time.pending()]).toEqual([[1], 0]);
  });

  it("that cannot be sent are tried again when the kernel is heard", () => {
    reachable = false;
    requests.want(one, 1);
    expect([requests.missing(1), time.pending()]).toEqual([{ why: "silent" }, 0]);
    reachable = true;
    requests.heard();
    expect([sent, requests.missing(1)]).toEqual([[1], { why: "waiting" }]);
  });

  it("remember what was thinned, and not without end", () => {
    for (let batch = 0; batch < 3000; batch += 1) requests.answered(batch, false, 7);
    expect(requests.missing(2999)).toEqual({ why: "thinned", nearest: 7 });
    expect(requests.missing(0)).toEqual({ why: "waiting" });
  });

  it("concern one run", () => {
    requests.want(one, 1);
    requests.answered(2, false, 7);
    requests.startOver();
    expect([requests.missing(2), time.pending()]).toEqual([{ why: "waiting" }, 0]);
    requests.want(one, 1);
    expect(sent).toEqual([1, 1]);
    requests.destroy();
    expect(time.pending()).toBe(0);
  });
});
