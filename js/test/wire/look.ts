/** What a view would draw of a run, as JSON. */

import { decodeChunk } from "../../src/protocol/chunks";
import type { Traits } from "../../src/protocol/contract";
import type { Session } from "../../src/session/session";
import type { Place } from "../../src/state/details";

const COLUMNS = ["loss", "grad_norm", "horizon_length", "max:W_hh", "mean:W_hh"];

/** `copy`: the model's own copy of the run. */
export function look({ store, missing }: Session, places: Place[], copy: Traits["_run"]) {
  const { run, recorded, completing, silent, problem, playing, settings, status, selected, stream, surface } =
    store.state;
  const { samples, cues } = store.state;
  const held = places.map((place) => {
    if (!run.details.has(place)) return { held: false, missing: missing(place) };
    const snapshot = run.details.get(place);
    if (!snapshot) return { held: true };
    const pieces = snapshot.surfaces.map((name) => [name, [...snapshot.items(name, "norm").pieces]]);
    return { held: true, loss: [...snapshot.loss], pieces: Object.fromEntries(pieces) };
  });
  return {
    epoch: copy.epoch,
    copied: copied(copy),
    batches: [...run.batches()],
    columns: Object.fromEntries(COLUMNS.map((name) => [name, [...run.series(name).values()]])),
    places: held,
    state: {
      recorded,
      completing,
      silent,
      problem,
      playing,
      settings,
      status,
      selected,
      stream,
      surface,
      samples,
      cues,
    },
  };
}

/** Which batches a notebook saves, and of which of them details, each with its stream. */
function copied({ chunks }: Traits["_run"]) {
  const batches: number[] = [];
  const details: [number, number | null][] = [];
  for (const chunk of chunks.map(decodeChunk)) {
    if (chunk.kind === "overview") batches.push(...chunk.batch);
    else if (chunk.kind === "details") for (const batch of chunk.batch) details.push([batch, chunk.stream]);
  }
  return { batches, details };
}
