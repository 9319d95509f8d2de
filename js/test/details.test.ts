import { beforeEach, describe, expect, it } from "vitest";
import { syntheticCell, syntheticUnits } from "../dev/synthetic_parts";
import { decodeChunk } from "../src/protocol/chunks";
import type { Stream } from "../src/protocol/contract";
import { createDetailRequests, type DetailRequests } from "../src/session/detail_requests";
import { SILENCE_MS } from "../src/session/requests";
import { createDetails, keyOf } from "../src/state/details";
import { at, decodeDetails, detailsChunk, NETWORK } from "./chunks";
import { fakeClock } from "./fakes";

const chunkOf = (...batches: number[]) => decodeDetails(detailsChunk(batches));
const ONE = chunkOf(0).nbytes;

describe("the details that a page holds", () => {
  it("are found by batch", () => {
    const details = createDetails();
    details.add(chunkOf(0, 10));
    details.add(chunkOf(20));
    expect([0, 10, 20].map((batch) => details.get(at(batch))?.batch)).toEqual([0, 10, 20]);
    expect([details.get(at(5)), details.has(at(5)), details.has(at(10))]).toEqual([null, false, true]);
    expect([-3, 4, 6, 99].map((batch) => details.nearest(at(batch)))).toEqual([0, 0, 10, 20]);
    expect(createDetails().nearest(at(3))).toBeNull();
  });

  it("stay within their bound: the chunk that was longest not looked at goes first", () => {
    const details = createDetails(3.5 * ONE);
    for (const batch of [0, 1, 2]) details.add(chunkOf(batch));
    details.get(at(0));
    details.add(chunkOf(3));
    expect([0, 1, 2, 3].map((batch) => details.has(at(batch)))).toEqual([true, false, true, true]);
    details.get(at(0));
    for (let batch = 4; batch < 100; batch += 1) {
      details.add(chunkOf(batch));
      expect(details.get(at(0))?.batch).toBe(0);
      expect(details.nbytes).toBeLessThanOrEqual(3.5 * ONE);
    }
  });

  it("keep the newest chunk however large it is", () => {
    const details = createDetails(1);
    details.add(chunkOf(0, 1));
    details.add(chunkOf(2, 3));
    expect([0, 1, 2, 3].map((batch) => details.has(at(batch)))).toEqual([false, false, true, true]);
  });

  it("are held for each stream apart, within one bound", () => {
    const details = createDetails(3.5 * ONE);
    for (const stream of [null, 0, 2]) details.add(decodeDetails(detailsChunk([0], 0, stream)));
    expect([null, 0, 1, 2].map((stream) => details.get(at(0, stream))?.stream)).toEqual([null, 0, undefined, 2]);
    details.add(decodeDetails(detailsChunk([9], 0, 2)));
    expect([details.nearest(at(8, 2)), details.nearest(at(8, 0)), details.nearest(at(8, 1))]).toEqual([9, 0, null]);
    expect(details.has(at(0)), "the one that was longest not looked at").toBe(false);
    expect(details.nbytes).toBeLessThanOrEqual(3.5 * ONE + 12);
  });

  it("are held by part: what is recorded, a surface, units, a cell", () => {
    const details = createDetails();
    details.add(chunkOf(0));
    details.add(decodeDetails(detailsChunk([0], 0, null, [], "W_ih")));
    const other = { ...NETWORK, cell: "gru", hidden: 4 };
    for (const chunk of [syntheticUnits(0, other, null, "W_hh"), syntheticCell(0, other, null, "cell:")]) {
      const decoded = decodeChunk(chunk);
      if (decoded.kind !== "overview") details.add(decoded);
    }
    const part = (name: string) => at(0, null, name);
    expect([details.get(at(0))?.part, details.get(part("W_ih"))?.part]).toEqual([null, "W_ih"]);
    expect([details.units(part("units:W_hh"))?.units, details.cell(part("cell:"))?.edges.length]).toEqual([4, 11]);
    expect([details.get(part("cell:")), details.units(part("cell:")), details.cell(at(0))]).toEqual([null, null, null]);
    expect([details.nearest(part("W_ih")), details.nearest(at(9, null, "c"))]).toEqual([0, null]);
  });

  it("are counted once if they come again", () => {
    const details = createDetails();
    const first = chunkOf(0, 1);
    details.add(first);
    details.add(chunkOf(0));
    expect(details.nbytes).toBe(first.nbytes + ONE);
    details.add(chunkOf(1));
    expect(details.nbytes, "nothing of the first chunk counts any more").toBe(2 * ONE);
    expect([0, 1].map((batch) => details.get(at(batch))?.batch)).toEqual([0, 1]);
  });
});

describe("requests for details", () => {
  const [one, other] = [{}, {}];
  let sent: (number | string)[];
  let held: Set<string>;
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
      send: ({ batch, stream }) => {
        if (reachable) sent.push(stream === null ? batch : `${stream}: ${batch}`);
        return reachable;
      },
      holds: (place) => held.has(keyOf(place)),
      onChange: () => {
        changes += 1;
      },
      clock: time.clock,
    });
  });

  function answer(batch: number, stream: Stream = null) {
    held.add(keyOf(at(batch, stream)));
    requests.answered(at(batch, stream), true, null);
  }

  it("are one at a time, and the newest wish is the next", () => {
    for (const batch of [1, 2, 3, 4]) requests.want(one, [at(batch)]);
    expect(sent).toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, 4]);
    answer(4);
    expect([sent, time.pending()]).toEqual([[1, 4], 0]);
  });

  it("serve every view", () => {
    requests.want(one, [at(1)]);
    requests.want(other, [at(2)]);
    answer(1);
    answer(2);
    expect(sent).toEqual([1, 2]);
    requests.want(one, [at(3)]);
    requests.want(other, [at(4)]);
    requests.want(other, []);
    requests.answered(at(3), false, 2);
    expect(sent).toEqual([1, 2, 3]);
  });

  it("are sent again after silence, for what is wanted then, ever more rarely", () => {
    requests.want(one, [at(1)]);
    requests.want(one, [at(2)]);
    expect(requests.missing(at(2))).toEqual({ why: "waiting" });
    time.pass(SILENCE_MS);
    expect([sent, requests.missing(at(2)), changes]).toEqual([[1, 2], { why: "silent" }, 1]);
    time.pass(2 * SILENCE_MS - 1);
    expect(sent).toEqual([1, 2]);
    time.pass(1);
    expect(sent).toEqual([1, 2, 2]);
    time.pass(3_600_000);
    expect(sent.length).toBeLessThan(70);
    answer(2);
    expect([requests.missing(at(3)), time.pending()]).toEqual([{ why: "waiting" }, 0]);
  });

  it("wait anew when the kernel is heard", () => {
    requests.want(one, [at(1)]);
    time.pass(SILENCE_MS);
    requests.heard();
    expect(requests.missing(at(1))).toEqual({ why: "waiting" });
    time.pass(SILENCE_MS);
    expect(sent).toEqual([1, 1, 1]);
  });

  it("name the stream: the same batch of another is another wish, and its answer is its own", () => {
    requests.want(one, [at(1)]);
    requests.want(one, [at(1, 2)]);
    requests.want(one, [at(1, 0)]);
    expect(sent).toEqual([1]);
    answer(1, 2);
    expect(sent, "nobody waits for that any more").toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, "0: 1"]);
    requests.answered(at(1, 0), false, null);
    expect([requests.missing(at(1, 0)).why, requests.missing(at(1, 1)).why]).toEqual(["thinned", "waiting"]);
    requests.want(one, [at(1, 1)]);
    expect(sent).toEqual([1, "0: 1", "1: 1"]);
  });

  it("ask for what a view wants most first, and for the rest after it", () => {
    const part = (name: string) => at(1, null, name);
    requests = createDetailRequests({
      send: ({ part }) => {
        sent.push(part ?? "recorded");
        return true;
      },
      holds: (place) => held.has(keyOf(place)),
      onChange: () => {},
      clock: time.clock,
    });
    requests.want(one, [at(1), part("c"), part("cell:")]);
    requests.want(one, [at(1), part("c"), part("cell:")]);
    expect(sent).toEqual(["recorded"]);
    answer(1);
    expect(sent).toEqual(["recorded", "c"]);
    requests.answered(part("c"), false, null, "A tanh cell has no c.");
    expect(sent).toEqual(["recorded", "c", "cell:"]);
    expect(requests.missing(part("c"))).toEqual({ why: "refused", reason: "A tanh cell has no c.", nearest: null });
  });

  it("are sent again when the reason of a refusal may have passed, while that is wanted, and it is shown meanwhile", () => {
    requests.want(one, [at(1)]);
    const refuse = () => requests.answered(at(1), false, null, "The file is damaged.", true);
    const refused = { why: "refused", reason: "The file is damaged.", nearest: null };
    refuse();
    time.pass(SILENCE_MS - 1);
    expect([sent, requests.missing(at(1))]).toEqual([[1], refused]);
    time.pass(1);
    expect([sent, requests.missing(at(1))]).toEqual([[1, 1], refused]);
    refuse();
    time.pass(SILENCE_MS);
    answer(1);
    time.pass(3_600_000);
    expect([sent, time.pending()]).toEqual([[1, 1, 1], 0]);
    requests.want(one, [at(2)]);
    requests.answered(at(2), false, null, "The file is damaged.", true);
    requests.destroy();
    time.pass(SILENCE_MS);
    expect(sent).toEqual([1, 1, 1, 2]);
  });

  it("end when nothing is wanted any more", () => {
    requests.want(one, [at(1)]);
    requests.want(one, []);
    time.pass(3_600_000);
    expect([sent, time.pending()]).toEqual([[1], 0]);
  });

  it("that cannot be sent are tried again when the kernel is heard", () => {
    reachable = false;
    requests.want(one, [at(1)]);
    expect([requests.missing(at(1)), time.pending()]).toEqual([{ why: "silent" }, 0]);
    reachable = true;
    requests.heard();
    expect([sent, requests.missing(at(1))]).toEqual([[1], { why: "waiting" }]);
  });

  it("are sent again at once while the kernel works it out, and say how far it is", () => {
    requests.want(one, [at(1)]);
    requests.unfinished(at(1), "900 batches are left.");
    expect([sent, changes]).toEqual([[1, 1], 1]);
    expect(requests.missing(at(1))).toEqual({ why: "waiting", progress: "900 batches are left." });
    requests.want(one, [at(2)]);
    requests.unfinished(at(1), "500 batches are left.");
    expect(sent, "what is not wanted any more is left").toEqual([1, 1, 2]);
    answer(2);
    expect(requests.missing(at(3))).toEqual({ why: "waiting" });
  });

  it("remember what was thinned, and not without end", () => {
    for (let batch = 0; batch < 3000; batch += 1) requests.answered(at(batch), false, 7);
    expect(requests.missing(at(2999))).toEqual({ why: "thinned", nearest: 7 });
    expect(requests.missing(at(0))).toEqual({ why: "waiting" });
  });

  it("concern one run", () => {
    requests.want(one, [at(1)]);
    requests.answered(at(2), false, 7);
    requests.startOver();
    expect([requests.missing(at(2)), time.pending()]).toEqual([{ why: "waiting" }, 0]);
    requests.want(one, [at(1)]);
    expect(sent).toEqual([1, 1]);
    requests.destroy();
    expect(time.pending()).toBe(0);
  });
});
