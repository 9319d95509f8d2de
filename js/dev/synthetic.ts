/** Snapshots that look like those of a network that learns: pieces decay with the lag, and ever more slowly. */

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

function snapshots(batches: number[], settings: Settings): ChunkData {
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
  const start = batches.map((batch) => (batch * steps) % (text.length - steps - 1));
  const gradNorm = floats(count);
  const updateNorm = floats(count);
  const horizonLength = floats(count);
  const flags = batches.map((batch) => (diverged.has(batch) ? 1 : 0) + (batch === 0 ? 2 : 0));

  batches.forEach((batch, row) => {
    const random = createRandom(batch * 7919 + 17);
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

  const columns: ColumnData[] = [
    ["batch", "i4", [count], batches],
    ["start", "i4", [count], start],
    ["stop", "i4", [count], start.map((first) => first + steps)],
    ["flags", "i4", [count], flags],
    ["grad_norm", "f4", [count], gradNorm],
    ["update_norm", "f4", [count], updateNorm],
    ["horizon_length", "f4", [count], horizonLength],
    ["loss", "f4", [count, steps], loss],
    ["target", "i4", [count, steps], target],
    ["prediction", "i4", [count, steps], prediction],
    ["probability", "f4", [count, steps], probability],
    ...measures.flatMap(({ suffix, max, mean, items, total, beyond }): ColumnData[] => [
      [`max:W_hh${suffix}`, "f4", [count], max],
      [`mean:W_hh${suffix}`, "f4", [count], mean],
      [`items:W_hh${suffix}`, "f4", [count, steps, lags], items],
      [`total:W_hh${suffix}`, "f4", [count, steps], total],
      [`beyond:W_hh${suffix}`, "f4", [count, steps], beyond],
    ]),
  ];
  return { count, steps, lags, columns };
}

/**
 * Many batches at once: a few hundred are worked out, and what they have per step is repeated. Their one number per
 * batch varies from batch to batch, with a peak here and there.
 */
export function manySnapshots(batches: number[], settings: Settings): ChunkData {
  const { count: models, ...pool } = snapshots(
    Array.from({ length: MODELS }, (_, index) => batches[Math.floor((index * batches.length) / MODELS)]),
    settings,
  );
  const random = createRandom(batches[0] + 1);
  const sizes = Float32Array.from(batches, () => 0.5 + random() ** 3 + (random() < 1e-4 ? 4 : 0));
  const model = (row: number) => Math.floor((row * models) / batches.length);
  const columns = pool.columns.map(([name, type, [, ...shape], values]): ColumnData => {
    const width = shape.reduce((product, size) => product * size, 1);
    const held = (type === "f4" ? Float32Array : Int32Array).from(values);
    const filled = new (type === "f4" ? Float32Array : Int32Array)(batches.length * width);
    const scaled = /^(max|mean|grad|update|loss)/.test(name);
    batches.forEach((batch, row) => {
      const from = model(row) * width;
      if (width > 1) filled.set(held.subarray(from, from + width), row * width);
      else filled[row] = name === "batch" ? batch : scaled ? held[from] * sizes[row] : held[from];
    });
    return [name, type, [batches.length, ...shape], filled];
  });
  return { ...pool, count: batches.length, columns };
}

export const syntheticChunk = (batches: number[], settings: Settings): ArrayBuffer =>
  encodeChunk(batches.length > MANY ? manySnapshots(batches, settings) : snapshots(batches, settings));
