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

/**
 * Visible while the page is, and while it shows the widget: a cell that is run again leaves a model without a view. The
 * page holds who listens to it, and hosts do not always end a model that they show no more: it is not listened to then.
 */
export function createAudience(page: Visibility): Audience {
  let views = 0;
  let stopListening = () => {};
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    visible: () => views > 0 && page.visible(),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    join() {
      if (views === 0) stopListening = page.onChange(tell);
      views += 1;
      tell();
      return () => {
        views -= 1;
        if (views === 0) stopListening();
        tell();
      };
    },
  };
}
