/** What surrounds the sides: buttons and choices for all of them, how training goes, and what differs. */

import { element, OWN_KEYS, setText } from "../browser/dom";
import { createIconButton } from "../controls/button";
import { createCodeLine } from "../controls/code_line";
import { createSegments } from "../controls/segments";
import { createMeasureSelect, createStreamSelect, isFile } from "../controls/toolbar";
import { createTrainingButtons } from "../controls/training_buttons";
import { createTrouble } from "../controls/trouble";
import type { Scale } from "../protocol/comparison_contract";
import { follows, type Problem, type State } from "../state/store";
import { formatCount } from "../words/format";
import { MEASURE_TEXT } from "../words/measures";
import type { ComparisonSession } from "./session";

export interface Controls {
  /** `failure` is what the view itself could not do. */
  update(failure: Problem | null): void;
}

export function createControls(parent: HTMLElement, session: ComparisonSession, startTour: () => void): Controls {
  const { commands } = session;
  const titles = {
    play: "Train all in lockstep, and record as it goes",
    step: "Train each on one batch and record it",
    reset: "Back to the untrained models of the same seeds",
  };
  const buttons = createTrainingButtons(titles, commands);
  const measure = createMeasureSelect((chosen) => commands.choose("measure", chosen));
  const stream = createStreamSelect((chosen) => commands.choose("stream", chosen));
  const scale = createSegments<Scale>(
    "Scale of panel 3",
    [
      { value: "shared", text: "one for all", title: "Bars of all sides on one scale: heights compare" },
      { value: "own", text: "each its own", title: "Bars of each side on a scale of its own: shapes compare" },
    ],
    (value) => commands.choose("scale", value),
  );
  const scaleField = element("div", { class: "field" }, element("span", { text: "Scale of panel 3" }), scale.node);
  const fields = element("div", { class: "fields", attributes: OWN_KEYS }, measure.field, stream.field, scaleField);
  const code = createCodeLine(commands.askCode);
  const tour = createIconButton(
    "tour",
    "tour",
    "Tour",
    "A tour through the comparison, of the batch that is shown",
    startTour,
  );
  const helps = element("div", { class: "buttons helps" }, tour.button, code.button);
  const toolbar = element(
    "div",
    { class: "toolbar", attributes: { role: "group", "aria-label": "Training of all" } },
    buttons.node,
    helps,
    fields,
  );
  const status = element("p", { class: "together" });
  const remarks = element("p", { class: "extent" });
  const trouble = createTrouble();
  const sentence = element("p", { class: "contrast" });
  parent.append(toolbar, code.node, status, remarks, ...trouble.nodes, sentence);

  const isTraining = ({ status }: State) => status.state === "training";

  function describeProgress(): string {
    const all = session.sides.map(({ store }) => store.state);
    const states = all.filter(({ info }) => info.live);
    if (states.length === 0) {
      if (all.some(({ status }) => follows(status))) return "Follows run files.";
      return all.some(isTraining) ? "Follows runs that others add to." : "Finished runs.";
    }
    const goingOn = states.filter(({ status }) => status.state !== "diverged");
    const batches = (goingOn.length > 0 ? goingOn : states).map(({ status }) => status.batch);
    const [least, most] = [Math.min(...batches), Math.max(...batches)];
    const level = least === most;
    const where = level ? `batch ${formatCount(most)}` : `batches ${formatCount(least)} to ${formatCount(most)}`;
    const { status } = goingOn.find(isTraining) ?? [...goingOn, ...states][0];
    const rate = status.rate === null ? "" : ` · ${formatCount(Math.round(status.rate))} batches/s each`;
    const catching = !level && session.store.state.playing ? ": those that are behind catch up" : "";
    return `${status.state}, ${where}${catching}${rate}`;
  }

  return {
    update(failure) {
      const { state } = session.store;
      const live = session.sides.some(({ store }) => store.state.info.live);
      const [first] = session.sides.map(({ store }) => store.state);
      buttons.update({ live, playing: state.playing });
      code.update(state.code, isFile(first.info));
      tour.button.disabled = session.sides.every(({ store }) => store.state.run.length === 0);
      measure.select.value = state.measure;
      measure.select.title = MEASURE_TEXT[state.measure].explanation;
      stream.update({ stream: state.stream, info: first.info });
      scale.set(state.scale);
      setText(status, describeProgress());
      setText(remarks, state.remarks.join(" "));
      remarks.hidden = state.remarks.length === 0;
      setText(sentence, state.sentence);
      sentence.hidden = state.sentence === "";
      const silent = state.silent && (live || session.sides.some(({ store }) => follows(store.state.status)));
      const problem = failure ?? state.problem ?? session.sides.map(({ store }) => store.state.problem).find(Boolean);
      trouble.update(silent, problem ?? null);
    },
  };
}
