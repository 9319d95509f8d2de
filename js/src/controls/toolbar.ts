/** Buttons and settings. Every one of them only asks; what then holds is what the kernel answers. */

import { element, OWN_KEYS } from "../browser/dom";
import { type Info, MEASURES, type Measure, type Setting, type SettingValue, type Stream } from "../protocol/contract";
import type { Commands } from "../session/session";
import type { State, Store } from "../state/store";
import { MEASURE_TEXT } from "../words/measures";
import { isJacobian } from "../words/surface_text";
import { createIconButton } from "./button";
import { createCodeLine } from "./code_line";
import { createField, createTypedField } from "./field";
import { settingValue } from "./setting_text";
import { createSurfaceChooser } from "./surface_chooser";
import { createTrainingButtons } from "./training_buttons";

export interface Toolbar {
  update(state: State): void;
}

interface SettingOptions {
  label: string;
  title: string;
  attributes: Record<string, string>;
  /** What to say of a text that means no value. */
  takes: string;
}

const SETTINGS: Record<Setting, SettingOptions> = {
  learning_rate: {
    label: "Learning rate",
    title: "Size of the update; takes effect at the next batch",
    attributes: { type: "number", min: "0", step: "any" },
    takes: "Learning rate must be a number.",
  },
  horizon: {
    label: "Horizon",
    title:
      "How many lags are recorded, a step's own loss included; auto: as many as are enough; empty: the whole window",
    attributes: { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", placeholder: "all" },
    takes: "Horizon takes a number of lags, auto, or all.",
  },
  record_every: {
    label: "Record every",
    title: "Recording interval, in batches",
    attributes: { type: "number", min: "1", step: "1" },
    takes: "Record every must be a number.",
  },
};

function createSetting(name: Setting, store: Store, commands: Commands) {
  const { label, title, attributes, takes } = SETTINGS[name];
  const { field, input, refuse } = createTypedField(label, { "data-setting": name, title, ...attributes }, commit);
  const restore = () => {
    input.value = String(store.state.settings[name] ?? "");
  };
  let held: SettingValue | undefined;
  let reason = "";

  function commit() {
    reason = "";
    const value = input.validity.badInput ? undefined : settingValue(input.value);
    if (value === undefined) {
      store.update({ refused: { ...store.state.refused, [name]: takes } });
      return;
    }
    if (value === held) restore();
    else commands.set(name, value);
  }

  function update(state: State) {
    const refused = state.refused[name] ?? "";
    if (state.settings[name] !== held || (refused && refused !== reason)) restore();
    held = state.settings[name];
    reason = refused;
    refuse(refused);
  }
  return { field, update };
}

export function createMeasureSelect(choose: (measure: Measure) => void) {
  const options = MEASURES.map((measure) =>
    element("option", { text: MEASURE_TEXT[measure].option, attributes: { value: measure } }),
  );
  const select = element("select", { attributes: { "data-setting": "measure" } }, ...options);
  select.addEventListener("change", () => choose(select.value as Measure));
  return { field: createField("Measure", select), select };
}

/** Whether the page is a file, with no kernel behind it. */
export const isFile = ({ page }: Info) => page !== undefined && page !== null;

const AVERAGE = "average";

export function createStreamSelect(choose: (stream: Stream) => void) {
  const select = element("select", { attributes: { "data-setting": "stream" } });
  select.addEventListener("change", () => choose(select.value === AVERAGE ? null : Number(select.value)));
  const field = createField("Stream", select);

  function update({ stream, info }: { stream: State["stream"]; info: Info }) {
    field.hidden = info.batch_size === 1;
    if (field.hidden) return;
    if (select.options.length !== info.batch_size + 1) {
      const numbers = Array.from({ length: info.batch_size }, (_, index) =>
        element("option", { text: String(index + 1), attributes: { value: String(index) } }),
      );
      const average = element("option", { text: `average of ${info.batch_size}`, attributes: { value: AVERAGE } });
      select.replaceChildren(average, ...numbers);
    }
    select.value = stream === null ? AVERAGE : String(stream);
    select.title = `What panels 2 to 4 show of a minibatch. In Python: widget.stream = ${stream ?? "None"}`;
  }
  return { field, update };
}

export function createToolbar(parent: HTMLElement, store: Store, commands: Commands, startTour: () => void): Toolbar {
  const titles = {
    play: "Train, and record as it goes",
    step: "Train on one batch and record it",
    reset: "Back to the untrained model of the same seed",
  };
  const buttons = createTrainingButtons(titles, commands);
  const settings = [
    createSetting("learning_rate", store, commands),
    createSetting("horizon", store, commands),
    createSetting("record_every", store, commands),
  ];
  const measure = createMeasureSelect((chosen) => commands.choose("measure", chosen));
  const stream = createStreamSelect((chosen) => commands.choose("stream", chosen));
  const surface = createSurfaceChooser(store, commands);

  const tour = createIconButton(
    "tour",
    "tour",
    "Tour",
    "A tour through the panels, of the batch that is shown",
    startTour,
  );
  const fields = element(
    "div",
    { class: "fields", attributes: OWN_KEYS },
    ...settings.map(({ field }) => field),
    ...surface.fields,
    measure.field,
    stream.field,
  );
  const code = createCodeLine(commands.askCode);
  const helps = element("div", { class: "buttons helps" }, tour.button, code.button);
  parent.append(
    element(
      "div",
      { class: "toolbar", attributes: { role: "group", "aria-label": "Training" } },
      buttons.node,
      helps,
      fields,
    ),
    code.node,
  );

  return {
    update(state) {
      buttons.update({ live: state.info.live, playing: state.playing });
      code.update(state.code, isFile(state.info));
      tour.button.disabled = state.run.length === 0;
      for (const setting of settings) {
        setting.field.hidden = !state.info.live;
        setting.update(state);
      }
      stream.update(state);
      surface.update(state);
      measure.field.hidden = isJacobian(state.surface);
      measure.select.value = state.measure;
      measure.select.title = MEASURE_TEXT[state.measure].explanation;
    },
  };
}
