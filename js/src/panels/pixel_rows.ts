/** Paints a canvas in rows of colours: a row is one line of pixels, repeated down its height. */

/** From one pixel down to, but not with, another. */
interface Stretch {
  from: number;
  to: number;
}

/** `paint` fills the line of the row that has this place among `rows`; pixels that it leaves are clear. */
export function paintRows(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  rows: readonly Stretch[],
  paint: (row: number, line: Uint32Array) => void,
) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const line = new Uint32Array(width);
  rows.forEach(({ from, to }, row) => {
    line.fill(0);
    paint(row, line);
    for (let y = from; y < to; y += 1) pixels.set(line, y * width);
  });
  context.putImageData(image, 0, 0);
}
