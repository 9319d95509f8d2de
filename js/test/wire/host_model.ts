/** A widget's model as a host keeps it, driven by a test: what it sends is gathered. */

import type { AnyModel } from "@anywidget/types";
import { createListeners } from "../../src/session/listeners";

/** Where in the state a buffer belongs. */
export type Path = (string | number)[];
/** What a page sends: a message, or traits that it has changed; to a server a post; or that it loads anew. */
export type Spoken =
  | { message: unknown }
  | { state: Record<string, unknown> }
  | { post: number; body: string }
  | { reload: true };

export const bytes = (text: string) =>
  new DataView(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);

/** Puts buffers where the state had them, as hosts do. */
export function withBuffers<T extends object>(state: T, paths: Path[], buffers: string[]): T {
  paths.forEach((path, index) => {
    let at = state as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
    at[path[path.length - 1]] = bytes(buffers[index]);
  });
  return state;
}

export function createHostModel<T extends object>(traits: T, speak: (spoken: Spoken) => void) {
  const held = traits as Record<string, unknown>;
  const { on, off, emit } = createListeners();
  let unsaved: Record<string, unknown> = {};

  const model = {
    get: (name: string) => held[name],
    set(name: string, value: unknown) {
      held[name] = value;
      unsaved[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {
      speak({ state: unsaved });
      unsaved = {};
    },
    send: (message: unknown) => speak({ message: structuredClone(message) }),
    on,
    off,
  } as unknown as AnyModel<T>;

  return {
    model,
    deliver: (content: unknown, buffers: string[]) => emit("msg:custom", content, buffers.map(bytes)),
    update(state: object) {
      for (const [name, value] of Object.entries(state)) {
        held[name] = value;
        emit(`change:${name}`);
      }
    },
  };
}
