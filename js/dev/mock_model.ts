/** A widget model whose kernel is a few lines of synthetic training in the page. */

import type { AnyModel } from "@anywidget/types";
import { cellOf, decodeChunk, maxColumn, unitsOf } from "../src/protocol/chunks";
import type {
  Bytes,
  Cue,
  Frame,
  FromKernel,
  HorizonChoice,
  Part,
  Samples,
  Status,
  Stream,
  ToKernel,
  Traits,
} from "../src/protocol/contract";
import { createListeners } from "../src/session/listeners";
import { infoOf } from "../src/state/surfaces";
import { gatesOf, primaryOf, surfacesOf } from "./network";
import { type Settings, syntheticDetails, syntheticOverview } from "./synthetic";
import { hasTrack, syntheticCell, syntheticUnits } from "./synthetic_parts";

export interface MockOptions extends Settings {
  recorded: number;
  recordEvery: number;
  live: boolean;
  /** Details are kept of one in so many batches that are older than the page. */
  detailsEvery: number;
  /** The kernel answers nothing. */
  silent: boolean;
}

const FRAME_MS = 33;
const BATCHES_PER_FRAME = 40;
const CHUNK = 50_000;
const LOADED_DETAILS = 20;
const MEMORY_LIMIT = 256e6;

/** The tallest batch, and some that stand for the other kinds. */
function cuesOf(chunks: Bytes[], surface: string): Cue[] {
  let tallest = { batch: 0, height: 0 };
  const batches: number[] = [];
  for (const chunk of chunks.map(decodeChunk)) {
    if (chunk.kind !== "overview") continue;
    chunk.columns.get(maxColumn(surface, "norm"))?.forEach((height, row) => {
      batches.push(chunk.batch[row]);
      if (height > tallest.height) tallest = { batch: chunk.batch[row], height };
    });
  }
  const at = (part: number) => batches[Math.floor(part * (batches.length - 1))];
  return [
    { batch: tallest.batch, kind: "tallest", score: 9.2, reason: "Tallest bar of the run: 9.2 times the median." },
    { batch: at(0.3), kind: "sudden_change", score: 8, reason: "Sudden rise: 5.3 times the median of the past 30." },
    { batch: at(0.55), kind: "sudden_change", score: 7, reason: "Sudden drop: 0.2 times the median of the past 30." },
    { batch: at(0.02), kind: "first_clipped", score: 2, reason: "First batch that was clipped: from 4 to 2." },
    { batch: at(0.8), kind: "longest_horizon", score: 9, reason: "Longest horizon of the run: 9 steps." },
    { batch: at(0), kind: "shortest_horizon", score: 2, reason: "Shortest horizon of the run: 2 steps." },
  ];
}

/** What a network would leave out whose gradient decays by a fifth with every step, with a rise where pieces cancel. */
function choiceAt(batch: number, steps: number): HorizonChoice {
  const tolerance = 0.1;
  const residual = Array.from({ length: steps + 1 }, (_, k) =>
    k === 0 ? 1 : k === steps ? 0 : 1.4 * 0.8 ** k * (1 + 0.3 * Math.sin(k)),
  );
  const horizon = residual.findLastIndex((left) => left > tolerance) + 1;
  return { horizon, tolerance, batch, losses: 8 * Math.ceil(steps / 2), residual };
}

export function createMockModel(options: MockOptions): AnyModel<Traits> {
  const { on, off, emit } = createListeners();
  const first = { batch: 0, text: "qX#\t}9z;k\u0001 <script>alert(1)</script> &amp; \n(0_w*e)\n" };
  const traits: Traits = {
    selected: null,
    measure: "norm",
    form: "auto",
    quantity: "max_gradient",
    overlay: null,
    log_scale: false,
    stream: null,
    surface: primaryOf(options),
    learning_rate: 0.1,
    horizon: options.lags < options.steps ? options.lags : null,
    record_every: options.recordEvery,
    playing: false,
    _labels: options.labels,
    _info: {
      live: options.live,
      seq_length: options.steps,
      batch_size: options.streams,
      num_layers: options.layers,
      bidirectional: options.bidirectional,
      hidden_size: options.hidden,
      data_name: "a C header",
      data_length: options.text.length,
      cell: options.cell,
      surfaces: surfacesOf(options, primaryOf(options)),
      gates: gatesOf(options),
      units: options.hidden,
      primary: primaryOf(options),
      task: null,
    },
    _run: { epoch: 0, next: 0, recorded: 0, chunks: [] },
    _status: statusAt(0, "ready"),
    _samples: { first: null, now: null },
    _cues: [],
    _choice: { newest: null },
  };
  let batch = 0;
  let epoch = 0;
  let next = 0;
  /** Batch numbers of all that was recorded. */
  let recorded: number[] = [];

  function statusAt(trained: number, state: Status["state"]): Status {
    const loss = trained === 0 ? null : 1.6 + (2.9 * options.halfLife) / (trained + options.halfLife);
    const perplexity = loss === null ? null : Math.exp(loss);
    const rate = state === "training" ? 1216 : null;
    const kept = { details_every: options.detailsEvery, memory_limit: MEMORY_LIMIT };
    return { state, batch: trained, epoch_of_data: 0, loss, perplexity, rate, message: "", hint: "", ...kept };
  }

  const samples = (): Samples => ({
    first,
    now: { batch, text: options.text.slice(0, 240) },
  });

  function setTrait<K extends keyof Traits>(name: K, value: Traits[K]) {
    traits[name] = value;
    emit(`change:${name}`);
    if (name !== "surface") return;
    traits._info = { ...traits._info, surfaces: surfacesOf(options, traits.surface) };
    emit("change:_info");
  }

  const say = (message: FromKernel, buffers: ArrayBuffer[] = []) =>
    emit(
      "msg:custom",
      message,
      buffers.map((buffer) => new DataView(buffer)),
    );

  /** Trains `count` batches and returns the numbers of those that were recorded. */
  function train(count: number): number[] {
    const every = traits.record_every;
    const first = Math.ceil(batch / every) * every;
    batch += count;
    const added = Array.from({ length: Math.ceil((batch - first) / every) }, (_, index) => first + index * every);
    recorded = recorded.concat(added);
    return added;
  }

  const overviewOf = (batches: number[]): ArrayBuffer[] =>
    Array.from({ length: Math.ceil(batches.length / CHUNK) }, (_, part) =>
      syntheticOverview(batches.slice(part * CHUNK, (part + 1) * CHUNK), options, traits.surface),
    );

  /** A part of a batch; null if the network has none of that name. */
  function workOut(batch: number, stream: Stream, part: string): ArrayBuffer | null {
    const [kind, name] = [unitsOf(""), cellOf("")].map((start) => part.startsWith(start) && part.slice(start.length));
    if (typeof name === "string") {
      return hasTrack(name, options) ? syntheticCell(batch, options, stream, part) : null;
    }
    const surface = typeof kind === "string" ? kind : part;
    if (!infoOf(surface, traits._info)) return null;
    return typeof kind === "string"
      ? syntheticUnits(batch, options, stream, surface)
      : syntheticDetails([batch], options, stream, traits.surface, part);
  }

  function answerDetails(client: string, batch: number, stream: Stream, part: Part) {
    const answer = { kind: "details" as const, client, epoch, batch, stream, part };
    const every = options.detailsEvery * traits.record_every;
    if (part !== null) {
      const chunk = workOut(batch, stream, part);
      const reason = chunk ? null : `The network has no ${part}.`;
      return say({ ...answer, held: chunk !== null, nearest: null, reason }, chunk ? [chunk] : []);
    }
    const held = batch >= options.recorded * options.recordEvery || batch % every === 0;
    const nearest = held ? null : Math.round(batch / every) * every;
    say({ ...answer, held, nearest }, held ? [syntheticDetails([batch], options, stream, traits.surface)] : []);
  }

  function sendFrame(
    request: { client: string | null; seq: number },
    last: boolean,
    added: number[],
    choice?: HorizonChoice,
  ) {
    const status = statusAt(batch, traits.playing ? "training" : "paused");
    const frame: Frame = {
      kind: "frame",
      epoch,
      frame: next,
      recorded: recorded.length,
      last,
      playing: traits.playing,
      status,
      ...request,
    };
    if (last) frame.samples = samples();
    if (choice) frame.choice = choice;
    next += 1;
    say(
      frame,
      added.length > 0
        ? [...overviewOf(added), syntheticDetails(added.slice(-5), options, traits.stream, traits.surface)]
        : [],
    );
  }

  function lease(request: { client: string; seq: number }, left: number) {
    const last = left <= FRAME_MS || !traits.playing;
    setTimeout(() => {
      sendFrame(request, last, train(BATCHES_PER_FRAME));
      if (!last) lease(request, left - FRAME_MS);
    }, FRAME_MS);
  }

  function answer(message: ToKernel) {
    switch (message.kind) {
      case "play":
      case "stop":
        return setTrait("playing", message.kind === "play");
      case "lease":
        return lease({ client: message.client, seq: message.seq }, message.ms);
      case "step": {
        const due = message.until === "batch" ? 1 : traits.record_every - (batch % traits.record_every) || 1;
        return sendFrame({ client: message.client, seq: message.seq }, true, train(due));
      }
      case "reset":
        [batch, next, epoch, recorded] = [0, 0, epoch + 1, []];
        return say({
          kind: "whole",
          epoch,
          next,
          recorded: 0,
          status: statusAt(0, "ready"),
          samples: { first: null, now: null },
          cues: [],
          choice: null,
        });
      case "details":
        return answerDetails(message.client, message.batch, message.stream, message.part);
      case "set":
        if (typeof message.value === "number" && message.value <= 0) {
          const reason = `${message.name} must be greater than 0, got ${message.value}`;
          return say({ kind: "refused", name: message.name, value: message.value, message: reason });
        }
        return setTrait(message.name, message.value as never);
      case "measure_horizon":
        return sendFrame({ client: null, seq: 0 }, true, [], choiceAt(batch, options.steps));
    }
  }

  if (options.recorded > 0) {
    train((options.recorded - 1) * options.recordEvery + 1);
    const buffers = [
      ...overviewOf(recorded),
      syntheticDetails(recorded.slice(-LOADED_DETAILS), options, traits.stream, traits.surface),
    ];
    traits._run = { epoch, next, recorded: recorded.length, chunks: buffers.map((buffer) => new DataView(buffer)) };
    traits._status = statusAt(batch, "paused");
    traits._samples = samples();
    traits._cues = cuesOf(traits._run.chunks, traits._info.primary);
    if (options.diverged.size > 0) {
      Object.assign(traits._status, {
        state: "diverged",
        message: `The loss of batch ${batch - 1} is not finite; training stopped before the weights were changed.`,
        hint: "Try a smaller learning rate or gradient clipping, then reset.",
      });
    }
  }

  return {
    get: (name: keyof Traits) => traits[name],
    set: setTrait,
    save_changes() {},
    send: (message: ToKernel) => setTimeout(() => options.silent || answer(message), 5),
    on,
    off,
  } as unknown as AnyModel<Traits>;
}
