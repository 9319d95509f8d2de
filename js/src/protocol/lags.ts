/**
 * Which losses reach a step: by the lag t − j, negative for losses before the step. Pieces lie side by side, step by
 * step, from the first lag on.
 */

export interface Lags {
  /** 0 where only later losses reach a step. */
  firstLag: number;
  /** How many lags were recorded. */
  lags: number;
}

/** Lags from `first` up to but not with `end`. */
export interface LagSpan {
  first: number;
  end: number;
}

/** The lags of one step: its losses lie within the window. */
export function lagsOf(step: number, steps: number, { firstLag, lags }: Lags): LagSpan {
  const first = Math.max(firstLag, -step);
  return { first, end: Math.max(first, Math.min(firstLag + lags, steps - step)) };
}

export const hasLag = (lag: number, { first, end }: LagSpan) => lag >= first && lag < end;

/** Where the piece lies that a step received from the loss `lag` steps later. */
export const indexOf = (step: number, lag: number, { firstLag, lags }: Lags) => step * lags + lag - firstLag;

/** Which piece lies at an index. */
export const pieceAt = (index: number, { firstLag, lags }: Lags) => ({
  step: Math.floor(index / lags),
  lag: (index % lags) + firstLag,
});

/** The steps that a loss reaches, from the first up to but not with the end. */
export function stepsOf(loss: number, steps: number, { firstLag, lags }: Lags): LagSpan {
  const first = Math.max(0, loss - firstLag - lags + 1);
  return { first, end: Math.max(first, Math.min(steps, loss - firstLag + 1)) };
}

/** Losses on both sides of a step reach it, or only those before it. */
export const reachesBack = ({ firstLag }: Lags) => firstLag < 0;

/** The recorded horizon: how many lags each way, a step's own loss included. */
export const horizonOf = ({ firstLag, lags }: Lags) => Math.max(firstLag + lags, 1 - firstLag);
