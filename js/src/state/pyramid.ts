/**
 * Finds the best of any stretch of a growing column in logarithmic time. Level 1 holds the index of the best of every
 * 16 values, level 2 of every 256, and so on; appending a value touches one entry of each level at most.
 */

const BRANCH_BITS = 4;
const BRANCH = 1 << BRANCH_BITS;

export interface Pyramid {
  /** Takes in the values that are new since the last call. */
  extend(values: ArrayLike<number>): void;
  /** Index of the best value in `[from, to)`, the first of equals; -1 if none of them counts. */
  best(from: number, to: number): number;
}

/** `counts`: whether a value can be the best at all; `better`: whether it beats an earlier one. */
export function createPyramid(
  counts: (value: number) => boolean,
  better: (value: number, than: number) => boolean,
): Pyramid {
  let values: ArrayLike<number> = [];
  let length = 0;
  const levels: Int32Array[] = [];

  /** The better of two indices, the second of which is later; -1 is none. */
  const winner = (earlier: number, later: number) => {
    if (earlier < 0) return later;
    return later >= 0 && better(values[later], values[earlier]) ? later : earlier;
  };

  function grow(level: number, entries: number) {
    const held = levels[level];
    if (held && held.length >= entries) return;
    const larger = new Int32Array(Math.max(BRANCH, 2 * entries)).fill(-1);
    if (held) larger.set(held);
    levels[level] = larger;
  }

  return {
    extend(next) {
      values = next;
      const first = length;
      length = next.length;
      for (let level = 0, size = length; size > 1; level += 1) {
        size = Math.ceil(size / BRANCH);
        const isNew = level === levels.length;
        grow(level, size);
        // A level that begins now covers all values, and not only the new ones.
        const shift = BRANCH_BITS * level;
        const source = levels[level - 1];
        for (let at = isNew ? 0 : first >> shift; at << shift < length; at += 1) {
          const candidate = source ? source[at] : counts(values[at]) ? at : -1;
          levels[level][at >> BRANCH_BITS] = winner(levels[level][at >> BRANCH_BITS], candidate);
        }
      }
    },
    best(from, to) {
      let low = from;
      let high = to;
      // What was found left of the middle, and right of it: of equals the first is wanted.
      let left = -1;
      let right = -1;
      for (let level = -1; low < high; level += 1) {
        const entry = (at: number) => (level < 0 ? (counts(values[at]) ? at : -1) : levels[level][at]);
        const last = level + 1 >= levels.length;
        while (low < high && (last || low % BRANCH !== 0)) {
          left = winner(left, entry(low));
          low += 1;
        }
        while (low < high && high % BRANCH !== 0) {
          high -= 1;
          right = winner(entry(high), right);
        }
        low /= BRANCH;
        high /= BRANCH;
      }
      return winner(left, right);
    },
  };
}

/** The largest finite value. */
export const highest = () => createPyramid(Number.isFinite, (value, than) => value > than);

/** The smallest value that a logarithmic axis can show. */
export const lowestPositive = () =>
  createPyramid(
    (value) => Number.isFinite(value) && value > 0,
    (value, than) => value < than,
  );
