/** When a view draws: at most once per animation frame, and no more than is due. */

/** `highlight`: only what is pointed at has changed. */
export type Work = "highlight" | "all";

export interface Scheduling {
  schedule(work: Work): void;
  /** Draws what is due at once. */
  settle(): void;
}

/** Draws nothing any more once the signal has aborted. */
export function createScheduling(signal: AbortSignal, draw: (work: Work) => void): Scheduling {
  let due: Work | null = null;
  let request = 0;

  function run() {
    const work = due;
    due = null;
    if (work) draw(work);
  }

  signal.addEventListener("abort", () => cancelAnimationFrame(request));
  return {
    schedule(work) {
      if (signal.aborted) return;
      if (due === null) request = requestAnimationFrame(run);
      if (due !== "all") due = work;
    },
    settle() {
      if (due === null) return;
      cancelAnimationFrame(request);
      run();
    },
  };
}
