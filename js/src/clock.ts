/** Timers and page visibility, as an interface so that tests can let time pass. */

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
