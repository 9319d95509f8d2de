/** Who listens to a model that has no host of its own. */

type Listener = (...args: unknown[]) => void;

export interface Listeners {
  /** To `change:NAME`, or to `msg:custom`. */
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
  /** Tells those who listen. */
  emit(event: string, ...args: unknown[]): void;
  /** How many listen. */
  count(): number;
}

export function createListeners(): Listeners {
  const known = new Map<string, Set<Listener>>();
  return {
    on(event, listener) {
      known.set(event, (known.get(event) ?? new Set()).add(listener));
    },
    off(event, listener) {
      known.get(event)?.delete(listener);
    },
    emit(event, ...args) {
      for (const listener of [...(known.get(event) ?? [])]) listener(...args);
    },
    count: () => [...known.values()].reduce((sum, { size }) => sum + size, 0),
  };
}
