/** Whether what a picture is made from is other than the last time, so that nothing is drawn twice. */

export interface Inputs {
  /** Compares with what was given the last time, and keeps what is given now. */
  changed(...now: unknown[]): boolean;
  /** The picture is gone: the next one is drawn whatever it is made from. */
  forget(): void;
}

export function createInputs(): Inputs {
  let before: unknown[] | null = null;
  return {
    changed(...now) {
      const same = before?.every((input, place) => input === now[place]) ?? false;
      before = now;
      return !same;
    },
    forget() {
      before = null;
    },
  };
}
