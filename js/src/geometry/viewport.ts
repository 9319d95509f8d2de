/** Which stretch of the run the overview shows: all of it, or a window that is zoomed, panned, and may follow training. */

/** Positions in the sequence of recorded batches, from `start` up to but not with `end`. */
export interface Range {
  start: number;
  end: number;
}

export interface Viewport {
  /** The window, or null for the whole run. A new object whenever it changes. */
  readonly window: Range | null;
  /** The window, or the whole run as a range. */
  readonly range: Range;
  /** Whether there is more to the run than the narrowest window holds. */
  readonly zoomable: boolean;
  /** Takes in how long the run is, whether its newest batch is followed, and how few batches a window may hold. */
  update(length: number, following: boolean, fewest: number): void;
  /**
   * Shows `factor` times as many batches, and leaves the one at `around` where it is: at `part` of the plot's width, if
   * that is not its part of what is in view, since a whole run need not fill the plot.
   */
  zoom(around: number, factor: number, part?: number): void;
  pan(batches: number): void;
  show(range: Range): void;
  /** Pans just as far as it takes to see a batch. */
  reveal(index: number): void;
  showAll(): void;
}

export function createViewport(): Viewport {
  let length = 0;
  let fewest = 1;
  let followed = true;
  let window: Range | null = null;
  /** While the newest batch is followed, a window at the end of the run moves on with it. */
  let atEnd = true;

  function range(): Range {
    return window ?? { start: 0, end: length };
  }

  function place(start: number, count: number) {
    const held = Math.max(Math.min(fewest, length), count);
    if (held >= length) {
      window = null;
      atEnd = true;
      return;
    }
    const first = Math.max(0, Math.min(length - held, start));
    atEnd = first + held > length - 0.5;
    window = { start: atEnd ? length - held : first, end: atEnd ? length : first + held };
  }

  return {
    get window() {
      return window;
    },
    get range() {
      return range();
    },
    get zoomable() {
      return length > fewest;
    },
    update(nextLength, following, nextFewest) {
      if (following && !followed) atEnd = true;
      const moves = window !== null && following && atEnd && window.end !== nextLength;
      const tooFew = window !== null && window.end - window.start < Math.min(nextFewest, nextLength);
      const stays = atEnd;
      followed = following;
      length = nextLength;
      fewest = nextFewest;
      if (!window || !(moves || tooFew || window.end > length)) return;
      const count = window.end - window.start;
      place(moves ? length - count : window.start, count);
      atEnd ||= stays;
    },
    zoom(around, factor, partOfPlot) {
      const { start, end } = range();
      const count = Math.max(Math.min(fewest, length), (end - start) * factor);
      const part = partOfPlot ?? (end > start ? (around - start) / (end - start) : 0);
      place(around - part * count, count);
    },
    pan(batches) {
      if (window) place(window.start + batches, window.end - window.start);
    },
    show: ({ start, end }) => place(start, end - start),
    reveal(index) {
      if (!window) return;
      const count = window.end - window.start;
      if (index < window.start) place(index, count);
      else if (index + 1 > window.end) place(index + 1 - count, count);
    },
    showAll: () => place(0, length),
  };
}
