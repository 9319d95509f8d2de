/** What makes a hidden unit interesting: orders of the units of a batch. */

import type { Units } from "../protocol/chunks";

export const RANKINGS = ["share", "reach", "against", "size"] as const;
export type Ranking = (typeof RANKINGS)[number];

export const RANKING_TEXT: Record<Ranking, { option: string; title: string }> = {
  share: { option: "share of the gradient", title: "Units whose rows have the largest part of the gradient" },
  reach: { option: "longest reach", title: "Units whose pieces reach back over the most steps; of equals the larger" },
  against: {
    option: "against the rest",
    title: "Units with a negative share of the gradient, then those whose losses agree least",
  },
  size: { option: "size", title: "Units with the largest norm of their rows of the gradient" },
};

type Order = (units: Units, unit: number) => number[];

/** The smallest first, one number after the other. What is not a number comes last, and so does a unit without gradient. */
const ORDERS: Record<Ranking, Order> = {
  share: ({ share }, unit) => [-share[unit]],
  reach: ({ reach, size }, unit) => [-reach[unit], -size[unit]],
  against: ({ share, agreement }, unit) => [Math.min(0, share[unit]), agreement[unit]],
  size: ({ size }, unit) => [-size[unit]],
};

/** Numbers of all units, the most interesting first. */
export function rankUnits(units: Units, ranking: Ranking): number[] {
  const all = Array.from({ length: units.units }, (_, unit) => unit);
  const keys = all.map((unit) => [units.size[unit] > 0 ? 0 : 1, ...ORDERS[ranking](units, unit)]);
  const compare = (a: number[], b: number[]) => {
    for (let index = 0; index < a.length; index += 1) {
      const [left, right] = [a[index], b[index]];
      if (Number.isNaN(left) !== Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1;
      if (left !== right && !Number.isNaN(left)) return left - right;
    }
    return 0;
  };
  return all.sort((a, b) => compare(keys[a], keys[b]) || a - b);
}
