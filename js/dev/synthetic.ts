/** Snapshots that look like those of a network that learns: pieces decay with the lag, and ever more slowly. */

import type { Stream } from "../src/contract";
import { type ChunkData, type ColumnData, encodeChunk } from "./chunks";

/** Norm that updates are clipped to. */
const CLIP = 0.35;
/** More batches than this are not worked out one by one. */
const MANY = 5_000;
const MODELS = 400;

/** Smaller pieces are not followed. */
const FLOOR = 1e-30;

export interface Settings {
  steps: number;
  lags: number;
  text: string;
  labels: string[];
  /** Streams of a minibatch. */
  streams: number;
  /** Batch numbers that diverged. */
  diverged: ReadonlySet<number>;
  /** Batches after which the synthetic network has learned half of what it will. */
  halfLife: number;
}

/** A small seeded generator, so that pictures can be compared. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Chunks of the overview and of the details of some batches; streams differ, and so does their average. */
function workOut(
  batches: number[],
  settings: Settings,
  stream: Stream = null,
): { overview: ChunkData; details: ChunkData } {
  const { steps, lags, text, labels, diverged, halfLife } = settings;
  const count = batches.length;
  const floats = (length: number) => new Float32Array(length);
  const loss = floats(count * steps);
  const probability = floats(count * steps);
  const target = new Int32Array(count * steps);
  const prediction = new Int32Array(count * steps);
  const measures = ["", ":mean_abs", ":share"].map((suffix) => ({
    suffix,
    max: floats(count),
    mean: floats(count),
    items: floats(count * steps * lags),
    total: floats(count * steps),
    beyond: floats(count * steps),
  }));
  const average = settings.streams > 1 && stream === null;
  const place = Math.floor((text.length / settings.streams) * (stream ?? 0));
  const start = batches.map((batch) => (place + batch * steps) % (text.length - steps - 1));
  const gradNorm = floats(count);
  const updateNorm = floats(count);
  const horizonLength = floats(count);
  const flags = batches.map((batch) => (diverged.has(batch) ? 1 : 0) + (batch === 0 ? 2 : 0));

  batches.forEach((batch, row) => {
    const random = createRandom(batch * 7919 + 17 + 31 * (stream ?? -1) + 31);
    const learned = batch / (batch + halfLife);
    const decay = 0.35 + 0.5 * learned * (0.8 + 0.4 * random());
    const size = 0.02 * (0.4 + random() + (random() < 0.03 ? 3 : 0)) * (1.2 - learned);
    const sources = Array.from({ length: steps }, (_, step) => {
      const at = row * steps + step;
      target[at] = labels.indexOf(text[start[row] + step + 1]);
      const right = random() < 0.75 * learned;
      prediction[at] = right ? target[at] : Math.floor(random() * labels.length);
      probability[at] = right ? 0.4 + 0.5 * random() : 0.02 + 0.2 * random();
      loss[at] = -Math.log(probability[at]);
      return size * loss[at] * (0.3 + random());
    });
    horizonLength[row] = Math.min(lags, Math.round(Math.log(0.01) / Math.log(decay)));
    for (let step = 0; step < steps; step += 1) {
      const zero = batch === 0 && step === 0;
      const gate = zero ? 0 : 0.6 + 0.8 * random();
      const pieces = Array.from({ length: steps - step }, (_, lag) => {
        const factor = decay ** lag;
        const piece = factor < FLOOR ? 0 : sources[step + lag] * factor * gate;
        return diverged.has(batch) && lag === 2 && step > steps / 2 ? Number.NaN : piece;
      });
      const angles = pieces.map(() => 2 * random() - 0.75);
      for (const { suffix, items, total, beyond, max, mean } of measures) {
        const values = pieces.map((piece, lag) =>
          suffix === ":share" ? piece * angles[lag] : suffix === ":mean_abs" ? piece / 80 : piece,
        );
        const at = row * steps + step;
        items.set(values.slice(0, lags), at * lags);
        beyond[at] = values.slice(lags).reduce((sum, value) => sum + value, 0) * (suffix === ":share" ? 1 : 0.8);
        const stack = values.reduce((sum, value) => sum + value, 0);
        total[at] = suffix === ":share" ? stack : stack * (0.55 + 0.3 * random());
        max[row] = Math.max(max[row], stack);
        mean[row] += Math.max(0, stack) / steps;
      }
    }
    gradNorm[row] = measures[0].mean[row] * Math.sqrt(steps) * 3;
    updateNorm[row] = Math.min(gradNorm[row], CLIP);
    if (gradNorm[row] > CLIP) flags[row] += 4;
  });

  const meanOf = (value: (at: number) => number) =>
    batches.map(
      (_, row) => loss.subarray(0, steps).reduce((sum, _, step) => sum + value(row * steps + step), 0) / steps,
    );
  const named: ColumnData[] = [
    ["batch", "i4", [count], batches],
    ["flags", "i4", [count], flags],
  ];
  const overview: ColumnData[] = [
    ...named,
    ["start", "i4", [count], start],
    ["stop", "i4", [count], start.map((first) => first + steps)],
    ["grad_norm", "f4", [count], gradNorm],
    ["update_norm", "f4", [count], updateNorm],
    ["horizon_length", "f4", [count], horizonLength],
    ["loss", "f4", [count], meanOf((at) => loss[at])],
    ["accuracy", "f4", [count], meanOf((at) => Number(target[at] === prediction[at]))],
    ...measures.flatMap(({ suffix, max, mean }): ColumnData[] => [
      [`max:W_hh${suffix}`, "f4", [count], max],
      [`mean:W_hh${suffix}`, "f4", [count], mean],
    ]),
  ];
  const details: ColumnData[] = [
    ...named,
    ["loss", "f4", [count, steps], loss],
    ["target", "i4", [count, steps], average ? target.map(() => -1) : target],
    ["prediction", "i4", [count, steps], average ? target.map(() => -1) : prediction],
    ["probability", "f4", [count, steps], probability],
    ...(average ? [sharesOf(probability, settings.streams, [count, steps])] : []),
    ...(stream === null ? [] : [["start", "i4", [count], start] as const]),
    ...measures.flatMap(({ suffix, items, total, beyond }): ColumnData[] => [
      [`items:W_hh${suffix}`, "f4", [count, steps, lags], items],
      [`total:W_hh${suffix}`, "f4", [count, steps], total],
      [`beyond:W_hh${suffix}`, "f4", [count, steps], beyond],
    ]),
  ];
  return {
    overview: { kind: "overview", count, columns: overview },
    details: { kind: "details", count, steps, lags, stream, columns: details },
  };
}

/** Shares of streams that were right, the larger the likelier. */
function sharesOf(probability: Float32Array, streams: number, shape: number[]): ColumnData {
  return ["accuracy", "f4", shape, probability.map((value) => Math.round(value * streams) / streams)];
}

/** Many batches at once: a few hundred are worked out and repeated, varied, with a peak here and there. */
function overviewOfMany(batches: number[], settings: Settings): ChunkData {
  const some = Array.from({ length: MODELS }, (_, index) => batches[Math.floor((index * batches.length) / MODELS)]);
  const { overview } = workOut(some, settings);
  const random = createRandom(batches[0] + 1);
  const sizes = Float32Array.from(batches, () => 0.5 + random() ** 3 + (random() < 1e-4 ? 4 : 0));
  const columns = overview.columns.map(([name, type, , values]): ColumnData => {
    const scaled = /^(max|mean|grad|update|loss)/.test(name);
    const filled = batches.map((batch, row) => {
      const held = values[Math.floor((row * MODELS) / batches.length)];
      return name === "batch" ? batch : scaled ? held * sizes[row] : held;
    });
    return [name, type, [batches.length], filled];
  });
  return { ...overview, count: batches.length, columns };
}

export const syntheticOverview = (batches: number[], settings: Settings): ArrayBuffer =>
  encodeChunk(batches.length > MANY ? overviewOfMany(batches, settings) : workOut(batches, settings).overview);

export const syntheticDetails = (batches: number[], settings: Settings, stream: Stream): ArrayBuffer =>
  encodeChunk(workOut(batches, settings, stream).details);
