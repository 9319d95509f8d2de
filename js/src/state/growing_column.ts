/** A column of numbers that grows at its end; appending is O(new values), amortised. */

type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export interface GrowingColumn<T extends Numbers> {
  append(values: T): void;
  /** The values so far, as a view: valid until the next append. */
  values(): T;
}

export function growingColumn<T extends Numbers>(create: (capacity: number) => T): GrowingColumn<T> {
  let data = create(64);
  let length = 0;
  // Made once per append: whoever asks for every pixel column would make thousands.
  let view = data.subarray(0, 0) as T;
  return {
    append(values) {
      if (length + values.length > data.length) {
        const larger = create(Math.max(2 * data.length, length + values.length));
        larger.set(data.subarray(0, length));
        data = larger;
      }
      data.set(values, length);
      length += values.length;
      view = data.subarray(0, length) as T;
    },
    values: () => view,
  };
}
