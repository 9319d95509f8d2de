/** Linear and logarithmic scales: what d3-scale has and the panels need, in a tenth of its size. */

import { ticks } from "d3-array";

type Pair = readonly [number, number];

export interface Scale {
  (value: number): number;
  invert(position: number): number;
  domain(): [number, number];
  domain(pair: Pair): this;
  range(): [number, number];
  range(pair: Pair): this;
  /** About so many nice numbers within the domain. */
  ticks(count: number): number[];
  copy(): Scale;
}

interface Form {
  /** To where values are evenly spaced, and back. */
  to(value: number): number;
  from(even: number): number;
}

const LINEAR: Form = { to: (value) => value, from: (even) => even };
const LOGARITHMIC: Form = { to: Math.log, from: Math.exp };

/** How far a value lies from `a` to `b`: where these are the same, all lie in the middle. */
const partOf = (value: number, a: number, b: number) => (a === b ? 0.5 : (value - a) / (b - a));

function createScale(form: Form, domain: Pair, range: Pair): Scale {
  let [low, high] = domain;
  let [start, end] = range;

  function place(value: number): number {
    const part = partOf(form.to(value), form.to(low), form.to(high));
    return start * (1 - part) + end * part;
  }

  const scale = Object.assign(place, {
    invert(position: number) {
      const part = partOf(position, start, end);
      return form.from(form.to(low) * (1 - part) + form.to(high) * part);
    },
    domain(pair?: Pair) {
      if (!pair) return [low, high];
      [low, high] = pair;
      return scale;
    },
    range(pair?: Pair) {
      if (!pair) return [start, end];
      [start, end] = pair;
      return scale;
    },
    ticks: (count: number) => ticks(low, high, count),
    copy: () => createScale(form, [low, high], [start, end]),
  }) as Scale;
  return scale;
}

export const scaleLinear = (domain: Pair = [0, 1], range: Pair = [0, 1]) => createScale(LINEAR, domain, range);
/** Of values above zero. */
export const scaleLog = (domain: Pair = [1, 10], range: Pair = [0, 1]) => createScale(LOGARITHMIC, domain, range);
