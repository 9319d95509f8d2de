/** Chunks of three steps and two lags whose values are easy to tell apart. */

import { encodeChunk } from "../dev/chunks";

const STEPS = 3;
const LAGS = 2;

const counting = (length: number) => Array.from({ length }, (_, index) => index);

export function smallChunk(batches: number[], flags = 0, max = 1): ArrayBuffer {
  const count = batches.length;
  const perStep = counting(count * STEPS);
  const perItem = counting(count * STEPS * LAGS);
  const fill = (value: number) => Array<number>(count).fill(value);
  return encodeChunk({
    count,
    steps: STEPS,
    lags: LAGS,
    columns: [
      ["batch", "i4", [count], batches],
      ["start", "i4", [count], batches.map((batch) => batch * STEPS)],
      ["stop", "i4", [count], batches.map((batch) => (batch + 1) * STEPS)],
      ["flags", "i4", [count], fill(flags)],
      ["grad_norm", "f4", [count], fill(1)],
      ["update_norm", "f4", [count], fill(1)],
      ["horizon_length", "f4", [count], fill(1)],
      ["loss", "f4", [count, STEPS], perStep.map((value) => value + 1)],
      ["target", "i4", [count, STEPS], perStep],
      ["prediction", "i4", [count, STEPS], perStep],
      ["probability", "f4", [count, STEPS], perStep.map(() => 0.5)],
      ...(["W_hh", "W_hh:mean_abs", "W_hh:share"] as const).flatMap((surface) => {
        const sign = surface === "W_hh:share" ? -1 : 1;
        return [
          [`max:${surface}`, "f4", [count], fill(max)] as const,
          [`mean:${surface}`, "f4", [count], fill(max / 2)] as const,
          [`items:${surface}`, "f4", [count, STEPS, LAGS], perItem.map((value) => sign * value)] as const,
          [`total:${surface}`, "f4", [count, STEPS], perStep] as const,
          [`beyond:${surface}`, "f4", [count, STEPS], perStep.map((value) => value * 10)] as const,
        ];
      }),
    ],
  });
}
