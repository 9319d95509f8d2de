/** Colours between others, evenly spaced to the eye: in CIELAB, whose white is D50. */

type Triple = [number, number, number];

const WHITE: Triple = [0.96422, 1, 0.82521];
const [T0, T1] = [4 / 29, 6 / 29];

const linear = (channel: number) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
const encoded = (value: number) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
const root = (t: number) => (t > T1 ** 3 ? Math.cbrt(t) : t / (3 * T1 ** 2) + T0);
const cube = (t: number) => (t > T1 ? t ** 3 : 3 * T1 ** 2 * (t - T0));

function labOf(hex: string): Triple {
  const [r, g, b] = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255));
  const x = root((0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / WHITE[0]);
  const y = root((0.2225045 * r + 0.7168786 * g + 0.0606169 * b) / WHITE[1]);
  const z = root((0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function rgbOf([l, a, b]: Triple): string {
  const y = (l + 16) / 116;
  const [X, Y, Z] = [WHITE[0] * cube(y + a / 500), WHITE[1] * cube(y), WHITE[2] * cube(y - b / 200)];
  const channels = [
    3.1338561 * X - 1.6168667 * Y - 0.4906146 * Z,
    -0.9787684 * X + 1.9161415 * Y + 0.033454 * Z,
    0.0719453 * X - 0.2289914 * Y + 1.4052427 * Z,
  ];
  const bytes = channels.map((value) => Math.max(0, Math.min(255, Math.round(255 * encoded(value)))));
  return `rgb(${bytes.join(", ")})`;
}

/** Goes through colours `#rrggbb` that are evenly spaced, from 0 at the first to 1 at the last. */
export function colorsThrough(hexes: readonly string[]): (place: number) => string {
  const stops = hexes.map(labOf);
  const last = stops.length - 1;
  return (place) => {
    const at = Math.max(0, Math.min(1, place)) * last;
    const index = Math.min(last - 1, Math.floor(at));
    const [before, after] = [stops[index], stops[index + 1]];
    return rgbOf(before.map((value, channel) => value + (at - index) * (after[channel] - value)) as Triple);
  };
}
