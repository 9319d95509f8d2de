/** What a view would draw of a run, as JSON. */

import type { Session } from "../../src/session/session";
import type { Place } from "../../src/state/details";

const COLUMNS = ["loss", "grad_norm", "horizon_length", "max:W_hh", "mean:W_hh"];

/** `epoch`: that of the model's own copy of the run. */
export function look({ store, missing }: Session, places: Place[], epoch: number) {
  const { run, recorded, completing, silent, problem, playing, settings, status, selected, stream, surface } =
    store.state;
  const held = places.map((place) => {
    if (!run.details.has(place)) return { held: false, missing: missing(place) };
    const snapshot = run.details.get(place);
    if (!snapshot) return { held: true };
    const pieces = snapshot.surfaces.map((name) => [name, [...snapshot.items(name, "norm").pieces]]);
    return { held: true, loss: [...snapshot.loss], pieces: Object.fromEntries(pieces) };
  });
  return {
    epoch,
    batches: [...run.batches()],
    columns: Object.fromEntries(COLUMNS.map((name) => [name, [...run.series(name).values()]])),
    places: held,
    state: { recorded, completing, silent, problem, playing, settings, status, selected, stream, surface },
  };
}
