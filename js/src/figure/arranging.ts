/** Arranges what panels 2, 3 and 4 draw of a batch, and gives what it gave before while nothing has changed. */

import type { Snapshot } from "../protocol/chunks";
import type { State } from "../state/store";
import { companionOf } from "../state/surfaces";
import { arrange, type Room } from "./arrange";
import type { Shown } from "./figure";

export interface Held {
  /** The batch with the chosen surface. */
  snapshot: Snapshot;
  /** All that was recorded of it, if that is here. */
  recorded: Snapshot | null;
  /** The batch with the surface that goes along, if there is one and it is here. */
  beside: Snapshot | null;
}

type Chosen = Pick<State, "run" | "surface" | "measure" | "form" | "labels" | "info">;

export interface Arranging {
  /** Panels draw anew what is not the same object as before. */
  arrange(held: Held, state: Chosen, room: Room): Shown;
  /** What was arranged last, in the room and the colours that there are now; null if there is nothing. */
  refit(state: Chosen, room: Room): Shown | null;
  /** What was arranged last is not on screen. */
  forget(): void;
}

export function createArranging(): Arranging {
  let last: { inputs: unknown[]; shown: Shown } | null = null;

  const inputsOf = ({ surface, measure, form, labels }: Chosen, { width, theme, zoomed }: Room) => [
    surface,
    measure,
    form,
    labels,
    width,
    theme,
    zoomed,
  ];

  return {
    arrange(held, state, room) {
      const { batch, stream, part } = held.snapshot;
      const source = [state.run.details, batch, stream, part, held.beside?.part, held.recorded !== null];
      const inputs = [...source, ...inputsOf(state, room)];
      const unchanged = inputs.map((input, place) => input === last?.inputs[place]);
      if (last && unchanged.every(Boolean)) return last.shown;
      // A batch that is held anew is the same batch.
      const { snapshot, recorded } = last && unchanged.slice(0, source.length).every(Boolean) ? last.shown : held;
      const other = companionOf(state.surface, state.info);
      const companion = held.beside && other ? { surface: other, items: held.beside.items(other, "norm") } : null;
      last = { inputs, shown: arrange({ snapshot, recorded, surface: state.surface, companion }, state, room) };
      return last.shown;
    },
    refit(state, room) {
      if (!last || (last.shown.width === room.width && last.shown.theme === room.theme)) return last?.shown ?? null;
      // What was chosen since is not what is on screen: it is arranged once it is here.
      last = { inputs: [], shown: arrange(last.shown, state, room) };
      return last.shown;
    },
    forget() {
      last = null;
    },
  };
}
