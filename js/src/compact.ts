/**
 * Chunks as a page that is one file holds them: base64 of gzip of 4-byte elements, all first bytes first, then all
 * second ones, and so on. The elements are the number of chunks, the length of each, and the chunks. Twin of `compact.py`.
 */

const PLANES = 4;

/** The chunks, each in a buffer of its own. Rejects if the text is damaged. */
export async function expand(text: string): Promise<DataView<ArrayBuffer>[]> {
  const compressed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return split(interleave(new Uint8Array(await new Response(stream).arrayBuffer())));
}

function interleave(planes: Uint8Array): DataView<ArrayBuffer> {
  const elements = planes.length / PLANES;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0; plane < PLANES; plane += 1) {
    const start = plane * elements;
    for (let element = 0; element < elements; element += 1) bytes[PLANES * element + plane] = planes[start + element];
  }
  return new DataView(bytes.buffer);
}

function split(whole: DataView<ArrayBuffer>): DataView<ArrayBuffer>[] {
  const count = whole.getUint32(0, true);
  let end = 4 * (1 + count);
  return Array.from({ length: count }, (_, index) => {
    const start = end;
    end += whole.getUint32(4 * (1 + index), true);
    return new DataView(whole.buffer.slice(start, end));
  });
}
