/**
 * Chunks as a page that is one file holds them: base 85 (as in RFC 1924, with a comma for "<") of gzip of 4-byte elements,
 * all first bytes first, then all second ones, and so on. The elements are the number of chunks, the length of each, and
 * the chunks. Twin of `compact.py`.
 */

const PLANES = 4;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

/** The chunks, each in a buffer of its own. Rejects if the text is damaged. */
export async function expand(text: string): Promise<DataView<ArrayBuffer>[]> {
  const stream = new Blob([decode(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return split(interleave(new Uint8Array(await new Response(stream).arrayBuffer())));
}

/** Four bytes of five digits each; the last group has one digit more than bytes. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(128).fill(255);
  Array.from(DIGITS).forEach((digit, value) => {
    values[digit.charCodeAt(0)] = value;
  });
  const groups = Math.ceil(text.length / 5);
  const bytes = new DataView(new ArrayBuffer(4 * groups));
  for (let group = 0; group < groups; group += 1) {
    let number = 0;
    for (let place = 5 * group; place < 5 * group + 5; place += 1) {
      const value = place < text.length ? values[text.charCodeAt(place)] : 84;
      if (!(value < 85)) throw new Error(`character ${place} of ${text.length} is none of its digits`);
      number = 85 * number + value;
    }
    bytes.setUint32(4 * group, number);
  }
  return new Uint8Array(bytes.buffer, 0, text.length - groups);
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
