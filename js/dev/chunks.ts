/** Encodes chunks as the kernel does; the tests and the mock kernel use it. */

import type { Part, Stream } from "../src/protocol/contract";

type Shape = readonly number[];
export type ColumnData = readonly [name: string, type: "f4" | "i4", shape: Shape, values: ArrayLike<number>];

export type ChunkData = { count: number; columns: readonly ColumnData[] } & (
  | { kind: "overview" }
  | { kind: "details" | "units"; steps: number; stream: Stream; part: Part; first_lags?: Record<string, number> }
  | {
      kind: "cell";
      steps: number;
      stream: Stream;
      part: Part;
      first_lag: number;
      cell: string | null;
      edges: (readonly [name: string, from: string, to: string])[];
    }
);

export function encodeChunk({ columns, ...described }: ChunkData): ArrayBuffer {
  const listed = columns.map(([name, type, shape]) => [name, type, shape]);
  let header = new TextEncoder().encode(JSON.stringify({ version: 2, ...described, columns: listed }));
  const padded = new Uint8Array(Math.ceil(header.length / 4) * 4).fill(0x20);
  padded.set(header);
  header = padded;
  const values = columns.reduce((sum, column) => sum + column[3].length, 0);
  const buffer = new ArrayBuffer(4 + header.length + 4 * values);
  new DataView(buffer).setUint32(0, header.length, true);
  new Uint8Array(buffer, 4).set(header);
  let offset = 4 + header.length;
  for (const [, type, , data] of columns) {
    const TypedArray = type === "f4" ? Float32Array : Int32Array;
    new TypedArray(buffer, offset, data.length).set(data);
    offset += 4 * data.length;
  }
  return buffer;
}
