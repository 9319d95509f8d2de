/** Snapshots that look like those of a network that learns: pieces decay with the lag, and ever more slowly. */

import type { Measure, Part, Stream } from "../src/protocol/contract";
import { parseSurface } from "../src/state/surfaces";
import { type ChunkData, type ColumnData, encodeChunk } from "./chunks";
import { type Network, recordedOf, sidesOf } from "./network";

/** Norm that updates are clipped to. */
const CLIP = 0.35;
/** More batches than this are not worked out one by one. */
const MANY = 5_000;
const MODELS = 400;

/** Smaller pieces are not followed. */
const FLOOR = 1e-30;

export interface Settings extends Network {
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

/** One surface of some batches, in one measure. */
interface Measured {
  surface: string;
  measure: Measure;
  firstLag: number;
  lags: number;
  max: Float32Array;
  mean: Float32Array;
  items: Float32Array;
  total: Float32Array;
  beyond: Float32Array;
}

/** How a surface differs from the others: how large it is, and which power of the network's decay is its own. */
function characterOf(surface: string, { layers }: Network): { size: number; slowness: number } {
  const { base, layer, selector } = parseSurface(surface);
  const below = layers - 1 - layer;
  const size = { W_hh: 1, W_ih: 0.6, h: 2.5, c: 3, jacobian: 40 }[base] * (selector ? 0.4 : 1);
  return { size: size * 0.8 ** below, slowness: (base === "c" ? 0.25 : 1) / (1 + 0.3 * below) };
}

function emptyMeasures(surface: string, count: number, settings: Settings): Measured[] {
  const { steps, lags } = settings;
  const { earlier, later } = sidesOf(surface, settings);
  const firstLag = earlier ? 1 - lags : 0;
  const kept = (later ? lags : 1) - firstLag;
  const measures: Measure[] = surface.startsWith("jacobian") ? ["norm"] : ["norm", "mean_abs", "share"];
  const floats = (length: number) => new Float32Array(length);
  return measures.map((measure) => ({
    surface,
    measure,
    firstLag,
    lags: kept,
    max: floats(count),
    mean: floats(count),
    items: floats(count * steps * kept),
    total: floats(count * steps),
    beyond: floats(count * steps),
  }));
}

/** Chunks of the overview and of the details of some batches; streams differ, and so does their average. */
function workOut(
  batches: number[],
  settings: Settings,
  surfaces: string[],
  stream: Stream = null,
  part: Part = null,
): { overview: ChunkData; details: ChunkData } {
  const { steps, text, labels, diverged, halfLife } = settings;
  const count = batches.length;
  const floats = (length: number) => new Float32Array(length);
  const loss = floats(count * steps);
  const probability = floats(count * steps);
  const target = new Int32Array(count * steps);
  const prediction = new Int32Array(count * steps);
  const measured = surfaces.map((surface) => emptyMeasures(surface, count, settings));
  const average = settings.streams > 1 && stream === null;
  const place = Math.floor((text.length / settings.streams) * (stream ?? 0));
  const start = batches.map((batch) => (place + batch * steps) % (text.length - steps - 1));
  const gradNorm = floats(count);
  const updateNorm = floats(count);
  const horizonLength = floats(count);
  const spectralRadius = floats(count);
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
    horizonLength[row] = Math.min(settings.lags, Math.round(Math.log(0.01) / Math.log(decay)));
    // Known of some batches only, as it takes its time to work out.
    spectralRadius[row] = row % 3 === 0 ? 0.8 + 0.6 * learned : Number.NaN;
    for (const measures of measured) fill(row, { batch, sources, decay, random }, measures, settings);
    gradNorm[row] = measured[0][0].mean[row] * Math.sqrt(steps) * 3;
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
    ["spectral_radius", "f4", [count], spectralRadius],
    ["largest_singular_value", "f4", [count], spectralRadius.map((radius) => 1.2 * radius)],
    ["saturation", "f4", [count], horizonLength.map((length) => 0.02 * length)],
    ["unit_median", "f4", [count], gradNorm.map((norm) => 0.06 * norm)],
    ["unit_p90", "f4", [count], gradNorm.map((norm) => 0.15 * norm)],
    ["unit_max", "f4", [count], gradNorm.map((norm) => 0.3 * norm)],
    ["loss", "f4", [count], meanOf((at) => loss[at])],
    ["accuracy", "f4", [count], meanOf((at) => Number(target[at] === prediction[at]))],
    ...measured.flat().flatMap(({ max, mean, ...named }): ColumnData[] => [
      [`max:${keyOf(named)}`, "f4", [count], max],
      [`mean:${keyOf(named)}`, "f4", [count], mean],
    ]),
  ];
  /** What goes along with the pieces: what they sum to, but of a Jacobian, whose norms are no parts, their bound. */
  const sums = ({ lags, total, beyond, ...named }: Measured): ColumnData[] =>
    parseSurface(named.surface).base === "jacobian"
      ? [[`bound:${named.surface}`, "f4", [count, lags], batches.flatMap(() => boundOf(lags, named.firstLag))]]
      : [
          [`total:${keyOf(named)}`, "f4", [count, steps], total],
          [`beyond:${keyOf(named)}`, "f4", [count, steps], beyond],
        ];
  const details: ColumnData[] = [
    ...named,
    ["loss", "f4", [count, steps], loss],
    ["target", "i4", [count, steps], average ? target.map(() => -1) : target],
    ["prediction", "i4", [count, steps], average ? target.map(() => -1) : prediction],
    ["probability", "f4", [count, steps], probability],
    ...(average ? [sharesOf(probability, settings.streams, [count, steps])] : []),
    ...(stream === null ? [] : [["start", "i4", [count], start] as const]),
    ...measured
      .flat()
      .flatMap((one): ColumnData[] => [
        [`items:${keyOf(one)}`, "f4", [count, steps, one.lags], one.items],
        ...sums(one),
      ]),
  ];
  const first_lags = Object.fromEntries(measured.map(([{ surface, firstLag }]) => [surface, firstLag]));
  return {
    overview: { kind: "overview", count, columns: overview },
    details: { kind: "details", count, steps, stream, part, first_lags, columns: details },
  };
}

const keyOf = ({ surface, measure }: Pick<Measured, "surface" | "measure">) =>
  measure === "norm" ? surface : `${surface}:${measure}`;

const boundOf = (lags: number, firstLag: number) =>
  Array.from({ length: lags }, (_, index) => 1.05 ** Math.abs(index + firstLag));

interface Trained {
  batch: number;
  /** What each step's loss sends. */
  sources: number[];
  decay: number;
  random: () => number;
}

/** Writes the pieces of one batch into a surface's columns. */
function fill(row: number, trained: Trained, measures: Measured[], settings: Settings) {
  const { steps, diverged } = settings;
  const { batch, sources, decay, random } = trained;
  const [{ surface, firstLag, lags }] = measures;
  const { size, slowness } = characterOf(surface, settings);
  const { base } = parseSurface(surface);
  const { earlier, later } = sidesOf(surface, settings);
  for (let step = 0; step < steps; step += 1) {
    const zero = batch === 0 && step === 0 && base === "W_hh" && !earlier;
    const gate = zero ? 0 : 0.6 + 0.8 * random();
    const from = earlier ? -step : 0;
    const pieces = Array.from({ length: (later ? steps - step : 1) - from }, (_, index) => {
      const lag = from + index;
      const factor = decay ** (slowness * Math.abs(lag));
      const sent = base === "jacobian" ? 0.025 : size * sources[step + lag];
      const piece = factor < FLOOR ? 0 : sent * factor * (base === "jacobian" && lag === 0 ? 1 : gate);
      return diverged.has(batch) && lag === 2 && step > steps / 2 ? Number.NaN : piece;
    });
    const angles = pieces.map(() => 2 * random() - 0.75);
    for (const { measure, items, total, beyond, max, mean } of measures) {
      const values = pieces.map((piece, index) =>
        measure === "share" ? piece * angles[index] : measure === "mean_abs" ? piece / 80 : piece,
      );
      const at = row * steps + step;
      let [stack, left] = [0, 0];
      values.forEach((value, index) => {
        const offset = from + index - firstLag;
        stack += value;
        if (offset >= 0 && offset < lags) items[at * lags + offset] = value;
        else left += value;
      });
      beyond[at] = left * (measure === "share" ? 1 : 0.8);
      total[at] = measure === "share" ? stack : stack * (0.55 + 0.3 * random());
      max[row] = Math.max(max[row], stack);
      mean[row] += Math.max(0, stack) / steps;
    }
  }
}

/** Shares of streams that were right, the larger the likelier. */
function sharesOf(probability: Float32Array, streams: number, shape: number[]): ColumnData {
  return ["accuracy", "f4", shape, probability.map((value) => Math.round(value * streams) / streams)];
}

/** Many batches at once: a few hundred are worked out and repeated, varied, with a peak here and there. */
function overviewOfMany(batches: number[], settings: Settings, surfaces: string[]): ChunkData {
  const some = Array.from({ length: MODELS }, (_, index) => batches[Math.floor((index * batches.length) / MODELS)]);
  const { overview } = workOut(some, settings, surfaces);
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

export function syntheticOverview(batches: number[], settings: Settings, chosen: string): ArrayBuffer {
  const surfaces = recordedOf(settings, chosen);
  const many = batches.length > MANY;
  return encodeChunk(
    many ? overviewOfMany(batches, settings, surfaces) : workOut(batches, settings, surfaces).overview,
  );
}

/** What is recorded of some batches, or one surface of them. */
export function syntheticDetails(
  batches: number[],
  settings: Settings,
  stream: Stream,
  chosen: string,
  part: Part = null,
): ArrayBuffer {
  const surfaces = part === null ? recordedOf(settings, chosen) : [part];
  return encodeChunk(workOut(batches, settings, surfaces, stream, part).details);
}
