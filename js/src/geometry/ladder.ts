/** Groups lags on a logarithmic ladder when they are many: 0, 1, 2, 3–4, 5–8, 9–16 … and the same for earlier losses. */

import { horizonOf, type Lags } from "../protocol/lags";

/** Up to this many lags on a side each has a colour of its own: more could not be told apart. */
const SEPARATE = 32;

/** Lags that are drawn as one. */
export interface Rung {
  first: number;
  last: number;
  /** 0 for a step's own loss, and one more with every rung away from it, on either side. */
  shade: number;
}

/** From a step's own loss outwards: first the rungs of later losses, then those of earlier ones. */
export function createLadder(lags: Lags): Rung[] {
  const separate = horizonOf(lags) <= SEPARATE;
  const later = distances(lags.firstLag + lags.lags - 1, separate);
  const earlier = distances(-lags.firstLag, separate);
  return [
    { first: 0, last: 0, shade: 0 },
    ...later.map(([first, last], index) => ({ first, last, shade: index + 1 })),
    ...earlier.map(([first, last], index) => ({ first: -last, last: -first, shade: index + 1 })),
  ];
}

function distances(most: number, separate: boolean): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (let first = 1, last = 1; first <= most; first = last + 1, last = separate ? first : 2 * last) {
    found.push([first, Math.min(last, most)]);
  }
  return found;
}

/** Whether several lags share a rung. */
export const isGrouped = (ladder: Rung[]) => ladder.some(({ first, last }) => first < last);

export const isEarlier = ({ last }: Rung) => last < 0;

/** How far the losses of a rung lie: 7, or 5–8. */
export function rungName({ first, last }: Pick<Rung, "first" | "last">): string {
  const [near, far] = last < 0 ? [-last, -first] : [first, last];
  return near === far ? String(near) : `${near}–${far}`;
}

/** The rung of a lag. */
export const rungOf = (ladder: Rung[], lag: number) =>
  ladder.find(({ first, last }) => lag >= first && lag <= last) as Rung;

/** How many colours the lags have on a side. */
export const shadesOf = (items: Lags) => Math.max(...createLadder(items).map(({ shade }) => shade)) + 1;
