/** What the batch that is shown says of how far its gradient reaches, and what the newest batches say of training. */

import { element, OWN_KEYS, setText } from "../browser/dom";
import type { Figure, Shown } from "../figure/figure";
import type { Diagnosis } from "../protocol/contract";
import { parseSurface } from "../state/surfaces";
import { formatCount } from "../words/format";
import { describeReading, FEWEST_STEPS, read } from "../words/reading";
import { streamName } from "../words/streams";
import { placeOf } from "../words/surface_text";

export interface Findings {
  update(figure: Figure): void;
}

export function createFindings(parent: HTMLElement): Findings {
  const which = element("span", { class: "of" });
  const words = element("span");
  const reading = element("p", { class: "reading-aloud" }, which, words);
  const summary = element("summary");
  const list = element("ul");
  const diagnoses = element("details", { class: "diagnoses", attributes: OWN_KEYS }, summary, list);
  const node = element("div", { class: "findings" }, reading, diagnoses);
  reading.hidden = true;
  parent.append(node);
  let drawn: Shown["snapshot"] | null = null;
  let surface = "";
  let told = "";
  let spoken = false;

  function tell(found: readonly Diagnosis[]) {
    const key = JSON.stringify(found);
    if (key === told) return;
    told = key;
    const named = found.map(({ name }) => name).join(" · ");
    setText(summary, `Diagnosis: ${named || "nothing to say yet"}`);
    list.replaceChildren(
      ...found.map(({ kind, name, sentence, remedy }) =>
        element(
          "li",
          { attributes: { "data-diagnosis": kind } },
          element("strong", { text: `${name[0].toUpperCase()}${name.slice(1)}. ` }),
          sentence,
          " ",
          element("span", { class: "remedy", text: remedy }),
        ),
      ),
    );
  }

  /**
   * Once there was a sentence of a surface, its room is kept: it changes under the pointer, and must not move what is
   * pointed at.
   */
  function readBatch({ snapshot, surface }: Shown, { state }: Figure) {
    const place = placeOf(parseSurface(surface), state.info);
    const said = describeReading(read(snapshot, surface), `W_hh${place && ` (${place})`}`);
    const of = [`Batch ${formatCount(snapshot.batch)}`, streamName(snapshot.stream, state.info)];
    setText(which, said && `${of.filter(Boolean).join(", ")}: `);
    setText(words, said);
    spoken ||= said !== "";
    reading.hidden = !spoken || snapshot.steps < FEWEST_STEPS;
  }

  return {
    update(figure) {
      const { shown, state } = figure;
      node.hidden = figure.selected < 0;
      if (node.hidden) spoken = false;
      diagnoses.hidden = state.status.diagnoses === undefined;
      tell(state.status.diagnoses ?? []);
      if (!shown || (shown.snapshot === drawn && shown.surface === surface)) return;
      if (shown.surface !== surface) spoken = false;
      [drawn, surface] = [shown.snapshot, shown.surface];
      readBatch(shown, figure);
    },
  };
}
