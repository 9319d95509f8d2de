/**
 * One widget model's conversation with its kernel: applies what arrives to the store and to the model's own
 * attributes, and sends what the person asks for. Lives as long as the model, whatever views come and go.
 */

import type { AnyModel } from "@anywidget/types";
import { browserClock, type Clock, createAudience, pageVisibility, type Visibility } from "../browser/clock";
import { replaysState } from "../browser/host";
import { randomName } from "../browser/random_name";
import { type Chunk, decodeChunk, type OverviewChunk, ownView } from "../protocol/chunks";
import {
  type Bytes,
  CHOICES,
  type Choices,
  type Cue,
  type DetailsAnswer,
  type Frame,
  type FromKernel,
  type HorizonChoice,
  type Refusable,
  type Setting,
  type SettingValue,
  type Status,
  type Traits,
  type Whole,
} from "../protocol/contract";
import { OF_RUN, requireForm } from "../protocol/kernel_message";
import type { Place } from "../state/details";
import { createRun } from "../state/run";
import { createStore, follows, type State, type Store } from "../state/store";
import { createDetailRequests, type Missing } from "./detail_requests";
import { createRequests, SILENCE_MS } from "./requests";
import { createSavedRun } from "./saved_run";
import { createTalk, type TrainingCommands, trainingCommands, unreadable } from "./talk";

/** All that a person can ask for. */
export interface Commands extends TrainingCommands {
  set(name: Setting, value: SettingValue): void;
  /** Asks which horizon would be enough. */
  measureHorizon(): void;
  choose<K extends keyof Choices>(name: K, value: Choices[K]): void;
  /** Asks for all of this as a line of Python. */
  askCode(): void;
  /** The tour that the kernel asked for is over. */
  endTour(): void;
}

export interface Session {
  store: Store;
  commands: Commands;
  /** What a view wants to show and the run does not hold, the most important first. */
  want(view: object, places: readonly Place[]): void;
  /** Why details are not there. */
  missing(place: Place): Missing;
  /** A view shows this session; returns the function that ends it. Without one, nothing is trained. */
  join(): () => void;
  destroy(): void;
}

const SETTINGS: readonly Setting[] = ["learning_rate", "horizon", "record_every"];

/** `asksForNews`: of a file that somebody writes; a comparison asks for all of its sides together. */
export function createSession(
  model: AnyModel<Traits>,
  clock: Clock = browserClock,
  visibility: Visibility = pageVisibility,
  asksForNews = true,
): Session {
  const client = randomName();
  const saved = createSavedRun(model);
  const store = createStore(readState());
  /** What is shown: the epoch, and the number of the next frame. */
  let position = { epoch: saved.epoch, next: saved.next };
  const audience = createAudience(visibility);
  const talk = createTalk(
    model,
    clock,
    () => store.update({ silent: true }),
    (error) => store.update({ problem: unreadable(error) }),
  );
  /** Limits `resync` to one until the whole arrives or stays away. */
  let cancelResyncTimer: (() => void) | null = null;

  const details = createDetailRequests({
    send: (place) => talk.canSend({ kind: "details", client, ...place }),
    holds: (place) => store.state.run.details.has(place),
    onChange: () => store.update({}),
    clock,
  });

  const requests = createRequests({
    client,
    send: talk.send,
    wanted: () => model.get("playing"),
    following: () => asksForNews && follows(store.state.status),
    onSilence: () => store.update({ silent: true }),
    clock,
    visibility: audience,
  });

  function readState(): State {
    const initial: State = {
      run: createRun(),
      recorded: model.get("_run").recorded,
      completing: false,
      reached: false,
      labels: model.get("_labels"),
      info: model.get("_info"),
      status: model.get("_status"),
      samples: model.get("_samples"),
      cues: [...model.get("_cues")],
      choice: model.get("_choice").newest,
      selected: model.get("selected"),
      measure: model.get("measure"),
      form: model.get("form"),
      quantity: model.get("quantity"),
      overlay: model.get("overlay"),
      log_scale: model.get("log_scale"),
      stream: model.get("stream"),
      surface: model.get("surface"),
      settings: {
        learning_rate: model.get("learning_rate"),
        horizon: model.get("horizon"),
        record_every: model.get("record_every"),
      },
      playing: model.get("playing"),
      touring: model.get("_touring") ?? false,
      refused: {},
      code: null,
      problem: null,
      silent: false,
    };
    for (const received of model.get("_run").chunks) {
      try {
        const chunk = decodeChunk(received);
        if (chunk.kind === "overview") initial.run.append(chunk);
        else initial.run.details.add(chunk);
      } catch (error) {
        initial.problem = unreadable(error);
      }
    }
    return initial;
  }

  function heard() {
    talk.heard();
    requests.heard();
    details.heard();
    if (store.state.silent || !store.state.reached) store.update({ silent: false, reached: true });
  }

  function resync() {
    if (cancelResyncTimer || !talk.canSend({ kind: "resync", client })) return;
    store.update({ completing: true });
    cancelResyncTimer = clock.after(SILENCE_MS, () => {
      cancelResyncTimer = null;
      store.update({ completing: false });
    });
  }

  const isComplete = () => store.state.run.length >= store.state.recorded;

  const holdsAllDetails = ({ run, stream } = store.state) =>
    run.batches().every((batch) => run.details.has({ batch, stream, part: null }));

  /** Keeps chunks that can be read, in the run and in the model, so that a saved notebook holds them. */
  function appendChunks(chunks: Bytes[]) {
    const { run } = store.state;
    for (const received of chunks) {
      const view = ownView(received);
      const chunk = decodeChunk(view);
      if (chunk.kind === "overview") run.append(chunk);
      else run.details.add(chunk);
      saved.add(view, chunk.kind);
    }
    if (isComplete()) store.update({ problem: null });
  }

  /** Takes in an overview that begins at the first batch, of a run of `recorded` batches; it may be an extract. */
  function takeOverview(chunks: Chunk[], epoch: number, recorded: number) {
    const overview = chunks.filter((chunk): chunk is OverviewChunk => chunk.kind === "overview");
    const rows = overview.reduce((sum, { count }) => sum + count, 0);
    const same = epoch === position.epoch;
    if (!same) details.startOver();
    const whole = same && isComplete();
    if (!whole || rows === recorded) {
      // What is shown goes on where it can, so that views keep their zoom.
      const run = whole ? store.state.run : createRun(same ? store.state.run.details : undefined);
      let without = run.length;
      for (const chunk of overview) {
        run.append(chunk, Math.min(without, chunk.count));
        without -= Math.min(without, chunk.count);
      }
      store.update({ run });
    }
    takeDetails(chunks);
    store.update({ recorded, problem: null });
  }

  /** Takes in details, unless all of a chunk's are held already. */
  function takeDetails(chunks: Chunk[]) {
    const { details: held } = store.state.run;
    for (const chunk of chunks) {
      if (chunk.kind === "overview") continue;
      if (chunk.batch.some((batch) => !held.has({ ...chunk, batch }))) held.add(chunk);
    }
  }

  function keepCues(cues: Cue[]) {
    model.get("_cues").splice(0, Number.POSITIVE_INFINITY, ...cues);
    store.update({ cues });
  }

  function keepChoice(choice: HorizonChoice | null) {
    model.get("_choice").newest = choice;
    store.update({ choice, refused: without("measure_horizon") });
  }

  /** What stays refused when one thing is asked for again. */
  function without(name: Refusable): State["refused"] {
    const { [name]: _asked, ...refused } = store.state.refused;
    return refused;
  }

  function applyFrame(frame: Frame, chunks: Bytes[]) {
    if (frame.epoch > position.epoch || (frame.epoch === position.epoch && frame.frame > position.next))
      return resync();
    if (frame.epoch < position.epoch || frame.frame < position.next) return;
    position.next += 1;
    saved.advance(frame.recorded);
    Object.assign(model.get("_status"), frame.status);
    if (frame.samples) Object.assign(model.get("_samples"), frame.samples);
    if (frame.cues) keepCues(frame.cues);
    if (frame.choice !== undefined) keepChoice(frame.choice);
    const { recorded } = frame;
    const whole = isComplete();
    const followed = follows(store.state.status);
    store.update({ status: { ...frame.status }, samples: { ...model.get("_samples") }, recorded });
    if (!followed && follows(frame.status)) requests.play(); // somebody writes the file again
    if (!whole) resync(); // first: these chunks may be damaged, too
    appendChunks(chunks);
  }

  function applyWhole(whole: Whole, chunks: Bytes[]) {
    cancelResyncTimer?.();
    cancelResyncTimer = null;
    const { epoch, next, recorded } = whole;
    if (saved.epoch !== epoch || saved.next !== next) saved.restart({ epoch, next, recorded });
    Object.assign(model.get("_status"), whole.status);
    Object.assign(model.get("_samples"), whole.samples);
    keepCues(whole.cues);
    keepChoice(whole.choice);
    store.update({ status: { ...whole.status }, samples: { ...whole.samples }, completing: false });
    takeOverview(chunks.map(decodeToKeep), epoch, recorded);
    position = { epoch, next };
  }

  function applyDetails(answer: DetailsAnswer, chunks: Bytes[]) {
    const { client: asker, epoch, batch, stream, part, held, nearest, reason, unfinished, again } = answer;
    if (asker !== client || epoch !== position.epoch) return;
    const place = { batch, stream, part };
    if (unfinished) return details.unfinished(place, reason ?? "");
    appendChunks(chunks); // an answer that cannot be read is as good as none: it is asked for again after a while
    details.answered(place, held && store.state.run.details.has(place), nearest, reason, again);
  }

  /** The kernel has sent the model's copy of the run anew. Mostly its overview is shown already. */
  function onRun() {
    const { epoch, next, recorded, chunks } = model.get("_run");
    if (epoch < position.epoch || (epoch === position.epoch && next < position.next)) return resync();
    try {
      if (epoch === position.epoch && next === position.next) return takeDetails(chunks.map(decodeToKeep));
      takeOverview(chunks.map(decodeToKeep), epoch, recorded);
    } catch (error) {
      store.update({ problem: unreadable(error) });
    }
    position = { epoch, next };
    if (!isComplete()) resync();
  }

  function applyError(message: string, hint: string) {
    const status: Status = Object.assign(model.get("_status"), { state: "error" as const, message, hint });
    requests.failed();
    store.update({ status: { ...status } });
  }

  function apply(message: FromKernel, buffers: Bytes[]) {
    switch (message.kind) {
      case "frame":
        try {
          applyFrame(message, buffers);
        } finally {
          // Even a frame that is late or cannot be read ends its request: the chain must not die of it.
          if (message.last) requests.ended(message.client, message.seq, message.playing);
        }
        break;
      case "whole":
        applyWhole(message, buffers);
        break;
      case "details":
        applyDetails(message, buffers);
        break;
      case "busy":
        requests.busy(message.client, message.seq);
        break;
      case "done":
        requests.ended(message.client, message.seq, model.get("playing"));
        break;
      case "code":
        if (message.client === client) store.update({ code: { line: message.line } });
        break;
      case "refused":
        store.update({ refused: { ...store.state.refused, [message.name]: message.message } });
        break;
      case "error":
        applyError(message.message, message.hint);
        break;
      default:
        message satisfies never;
    }
  }

  function onMessage(message: FromKernel, buffers: Bytes[] = []) {
    heard();
    try {
      requireForm(message, OF_RUN);
      apply(message, buffers);
    } catch (error) {
      store.update({ problem: unreadable(error) });
    }
    // Panels draw from the run, which grows in place.
    store.update({});
  }

  talk.on("msg:custom", onMessage);
  talk.on("change:_run", onRun);
  talk.on("change:_labels", () => store.update({ labels: model.get("_labels") }));
  talk.on("change:_info", () => store.update({ info: model.get("_info") }));
  talk.on("change:_status", () => store.update({ status: { ...model.get("_status") } }));
  talk.on("change:_samples", () => store.update({ samples: { ...model.get("_samples") } }));
  talk.on("change:_cues", () => store.update({ cues: [...model.get("_cues")] }));
  talk.on("change:_choice", () => store.update({ choice: model.get("_choice").newest }));
  talk.on("change:selected", () => store.update({ selected: model.get("selected") }));
  for (const name of CHOICES) talk.on(`change:${name}`, () => store.update({ [name]: model.get(name) }));
  talk.on("change:_touring", () => store.update({ touring: model.get("_touring") ?? false }));
  talk.on("change:playing", () => {
    heard();
    store.update({ playing: model.get("playing") });
    requests.play();
  });
  for (const name of SETTINGS) {
    talk.on(`change:${name}`, () => {
      heard();
      store.update({ settings: { ...store.state.settings, [name]: model.get(name) }, refused: without(name) });
    });
  }

  // What was loaded may be an extract, with few details, or old: the kernel has more.
  if (replaysState() || !isComplete() || !holdsAllDetails()) resync();

  return {
    store,
    want: details.want,
    missing: details.missing,
    commands: {
      ...trainingCommands(talk, requests),
      set(name, value) {
        store.update({ refused: without(name) });
        talk.send({ kind: "set", name, value });
      },
      measureHorizon() {
        store.update({ refused: without("measure_horizon") });
        talk.command({ kind: "measure_horizon" });
      },
      choose: talk.set,
      askCode: () => talk.command({ kind: "code", client }),
      endTour() {
        if (model.get("_touring")) talk.set("_touring", false);
      },
    },
    join: audience.join,
    destroy() {
      requests.destroy();
      details.destroy();
      talk.destroy();
      cancelResyncTimer?.();
    },
  };
}

/** An overview is copied into the run; details are kept as they are, and so must not hold a whole message's bytes. */
function decodeToKeep(received: Bytes): Chunk {
  const chunk = decodeChunk(received);
  return chunk.kind === "overview" ? chunk : decodeChunk(ownView(received));
}
