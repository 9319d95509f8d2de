/** The stretch of steps that panels 2, 3 and 4 show: where it lies, and how it is zoomed, moved and resized. */

export interface StepWindow {
  first: number;
  count: number;
}

/** Fewer steps than this are never asked for: their columns are as wide as columns get. */
export const LEAST = 8;

export const whole = (steps: number): StepWindow => ({ first: 0, count: steps });

export const isWhole = ({ count }: StepWindow, steps: number) => count >= steps;

/** The nearest window of whole steps that lies inside the batch. */
export function within({ first, count }: StepWindow, steps: number): StepWindow {
  const kept = Math.max(Math.min(LEAST, steps), Math.min(steps, Math.round(count)));
  return { first: Math.max(0, Math.min(steps - kept, Math.round(first))), count: kept };
}

/** Shows `factor` times as many steps; `anchor` stays where it is. */
export function zoom(window: StepWindow, steps: number, factor: number, anchor: number): StepWindow {
  const change = window.count * factor;
  const count = factor < 1 ? Math.min(window.count - 1, change) : Math.max(window.count + 1, change);
  const { count: kept } = within({ first: 0, count }, steps);
  return within({ first: anchor - ((anchor - window.first) * kept) / window.count, count: kept }, steps);
}

export const pan = ({ first, count }: StepWindow, steps: number, by: number) =>
  within({ first: first + by, count }, steps);

/** Moves the window no further than it takes to show a step. */
export function reveal(window: StepWindow, steps: number, step: number): StepWindow {
  const first = Math.min(step, Math.max(window.first, step - window.count + 1));
  return within({ first, count: window.count }, steps);
}

export type Grip = "first" | "last" | "inside" | "outside";

/** What of the brush lies under a (fractional) step: within `reach` steps of an edge it is that edge. */
export function gripAt(window: StepWindow, step: number, reach: number): Grip {
  const end = window.first + window.count;
  const [toFirst, toEnd] = [Math.abs(step - window.first), Math.abs(step - end)];
  if (Math.min(toFirst, toEnd) <= reach) return toFirst < toEnd ? "first" : "last";
  return step > window.first && step < end ? "inside" : "outside";
}

/** The window after a drag of the brush from one (fractional) step to another. */
export function drag(window: StepWindow, steps: number, grip: Grip, from: number, to: number): StepWindow {
  if (grip === "inside") return pan(window, steps, to - from);
  const end = window.first + window.count;
  const fixed = grip === "first" ? end : grip === "last" ? window.first : from;
  const moving = grip === "first" ? window.first + to - from : grip === "last" ? end + to - from : to;
  const [low, high] = [Math.max(0, Math.min(fixed, moving)), Math.min(steps, Math.max(fixed, moving))];
  const { count } = within({ first: low, count: high - low }, steps);
  // The edge that does not move stays where it is, however narrow the window becomes.
  return within({ first: moving < fixed ? high - count : low, count }, steps);
}
