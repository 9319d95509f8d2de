/** Medians of stretches of a column, at a cost that does not grow with the stretch. */

/** A longer stretch is represented by this many of its values, evenly spread over it. */
export const SAMPLE = 129;

const scratch = new Float64Array(SAMPLE);

/**
 * Median of the finite values in `[from, to)`: exact up to `SAMPLE` of them, else of an evenly spread sample. NaN if
 * there are none.
 */
export function medianOf(values: ArrayLike<number>, from: number, to: number): number {
  const size = to - from;
  const taken = Math.min(size, SAMPLE);
  let count = 0;
  for (let index = 0; index < taken; index += 1) {
    const value = values[size === taken ? from + index : from + Math.floor(((index + 0.5) * size) / taken)];
    if (Number.isFinite(value)) {
      scratch[count] = value;
      count += 1;
    }
  }
  if (count === 0) return Number.NaN;
  const upper = select(count, count >> 1);
  if (count % 2 === 1) return upper;
  let lower = scratch[0];
  for (let index = 1; index < count >> 1; index += 1) lower = Math.max(lower, scratch[index]);
  return (lower + upper) / 2;
}

/** The value of rank `rank` among the first `count` of the scratch; smaller ones end up before it (Hoare). */
function select(count: number, rank: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = scratch[rank];
    let left = low;
    let right = high;
    while (left <= right) {
      while (scratch[left] < pivot) left += 1;
      while (scratch[right] > pivot) right -= 1;
      if (left <= right) {
        const moved = scratch[left];
        scratch[left] = scratch[right];
        scratch[right] = moved;
        left += 1;
        right -= 1;
      }
    }
    if (right < rank) low = left;
    if (left > rank) high = right;
  }
  return scratch[rank];
}
