/** Timers and visibility, as an interface so that tests can let time pass. */

export interface Clock {
  /** Runs `action` once after a delay; returns the function that calls it off. */
  after(ms: number, action: () => void): () => void;
}

export interface Visibility {
  visible(): boolean;
  /** Returns the function that ends the subscription. */
  onChange(listener: () => void): () => void;
}

export const browserClock: Clock = {
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

export const pageVisibility: Visibility = {
  visible: () => document.visibilityState !== "hidden",
  onChange(listener) {
    document.addEventListener("visibilitychange", listener);
    return () => document.removeEventListener("visibilitychange", listener);
  },
};

export interface Audience extends Visibility {
  /** A view shows the widget; returns the function that ends it. */
  join(): () => void;
}

/** Visible while the page is, and while it shows the widget: a cell that is run again leaves a model without a view. */
export function createAudience(page: Visibility): Audience {
  let views = 0;
  const listeners = new Set<() => void>();
  const count = (change: number) => {
    views += change;
    for (const listener of listeners) listener();
  };
  return {
    visible: () => views > 0 && page.visible(),
    onChange(listener) {
      listeners.add(listener);
      const stopListening = page.onChange(listener);
      return () => {
        listeners.delete(listener);
        stopListening();
      };
    },
    join() {
      count(1);
      return () => count(-1);
    },
  };
}
