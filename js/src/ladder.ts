/** Groups lags on a logarithmic ladder when they are many: 0, 1, 2, 3–4, 5–8, 9–16 … */

/** Up to this many lags each has a colour of its own: more could not be told apart. */
const SEPARATE = 32;

/** Lags that are drawn as one. */
export interface Rung {
  first: number;
  last: number;
}

export function createLadder(lags: number): Rung[] {
  if (lags <= SEPARATE) return Array.from({ length: lags }, (_, lag) => ({ first: lag, last: lag }));
  const rungs: Rung[] = [{ first: 0, last: 0 }];
  for (let first = 1, last = 1; first < lags; first = last + 1, last *= 2) {
    rungs.push({ first, last: Math.min(last, lags - 1) });
  }
  return rungs;
}

/** 7, or 5–8. */
export const rungName = ({ first, last }: Rung) => (first === last ? String(first) : `${first}–${last}`);

/** The rung of a lag. */
export const rungOf = (ladder: Rung[], lag: number) => ladder.find(({ last }) => lag <= last) as Rung;
