/** When a view draws: at most once per animation frame, no more than is due, and in one frame no more than it has time for. */

/** `highlight`: only what is pointed at has changed; `all`: anything may have changed. */
export type Work = "highlight" | "all";

/** Something that is drawn in one go. */
export type Piece = () => void;

export interface Drawing {
  /** Draws at once what is quick, and gives what else is to be drawn, in order. */
  draw(work: Work): readonly Piece[];
  /** Something could not be drawn; the rest is left out. */
  failed(error: unknown): void;
}

export interface Scheduling {
  schedule(work: Work): void;
  /** Draws what is due at once, to the end. */
  settle(): void;
}

/**
 * In one frame no piece begins later than this: what scripts draw costs the browser about as much again, for layout and
 * painting, and all of it is to fit into 16 ms.
 */
export const BEGIN_MS = 3;

/**
 * Pieces that were begun with are drawn to the end before what has become due meanwhile, so that none has to wait for
 * ever. Draws nothing any more once the signal has aborted.
 */
export function createScheduling(
  signal: AbortSignal,
  { draw, failed }: Drawing,
  now: () => number = () => performance.now(),
): Scheduling {
  let due: Work | null = null;
  let pieces: Piece[] = [];
  let request = 0;

  const isIdle = () => due === null && pieces.length === 0;

  function run(ms: number) {
    const begun = now();
    try {
      if (pieces.length === 0 && due !== null) {
        const work = due;
        due = null;
        pieces = [...draw(work)];
      }
      while (pieces.length > 0 && now() - begun < ms) pieces.shift()?.();
    } catch (error) {
      pieces = [];
      failed(error);
    }
    if (!isIdle() && !signal.aborted) request = requestAnimationFrame(() => run(BEGIN_MS));
  }

  signal.addEventListener("abort", () => cancelAnimationFrame(request));
  return {
    schedule(work) {
      if (signal.aborted) return;
      if (isIdle()) request = requestAnimationFrame(() => run(BEGIN_MS));
      if (due !== "all") due = work;
    },
    settle() {
      while (!isIdle()) {
        cancelAnimationFrame(request);
        run(Number.POSITIVE_INFINITY);
      }
    },
  };
}
