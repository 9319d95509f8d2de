/** Which gradient is shown, and of which layer, direction, gate or unit: fields of the toolbar. */

import { element } from "../browser/dom";
import type { Base, Direction } from "../protocol/contract";
import type { Commands } from "../session/session";
import type { State, Store } from "../state/store";
import { changed, optionsOf, unitTyped } from "../state/surface_choice";
import { isRecorded, parseSurface, type Surface } from "../state/surfaces";
import { BASE_TEXT, DIRECTION_TEXT, gateName } from "../words/surface_text";
import { createField, createTypedField } from "./field";

export interface SurfaceChooser {
  fields: HTMLElement[];
  update(state: State): void;
}

type Option = readonly [value: string, text: string];
const ALL = "";

function createSelect(setting: string, label: string, onChange: (value: string) => void) {
  const select = element("select", { attributes: { "data-setting": setting } });
  const field = createField(label, select);
  let held = "";
  select.addEventListener("change", () => onChange(select.value));

  function set(options: readonly Option[], value: string) {
    field.hidden = options.length < 2;
    const key = JSON.stringify(options);
    if (key !== held) {
      held = key;
      select.replaceChildren(...options.map(([value, text]) => element("option", { text, attributes: { value } })));
    }
    select.value = value;
  }
  return { select, field, set };
}

export function createSurfaceChooser(store: Store, commands: Commands): SurfaceChooser {
  /** From what is chosen now: fields may be changed faster than they are drawn. */
  function choose(change: Partial<Surface>) {
    const { surface, info } = store.state;
    commands.choose("surface", changed(surface, change, info));
  }

  const base = createSelect("surface", "Gradient", (value) => choose({ base: value as Base }));
  const layer = createSelect("layer", "Layer", (value) => choose({ layer: Number(value) }));
  const direction = createSelect("direction", "Direction", (value) => choose({ direction: value as Direction }));
  const gate = createSelect("gate", "Gate", (value) => choose({ selector: value === ALL ? null : value }));
  const unit = createUnitField((selector) => choose({ selector }));

  return {
    fields: [base.field, layer.field, direction.field, gate.field, unit.field],
    update({ surface: name, info }) {
      const { layer: at, direction: way, selector, base: of } = parseSurface(name);
      const options = optionsOf(name, info);
      const top = info.num_layers - 1;
      base.set(
        options.bases.map((each) => [each, BASE_TEXT[each].option]),
        of,
      );
      layer.set(
        options.layers.map((each) => [String(each), `${each + 1}${each === top ? " (top)" : ""}`]),
        String(at),
      );
      direction.set(
        options.directions.map((each) => [each, DIRECTION_TEXT[each]]),
        way,
      );
      const isGate = selector !== null && options.gates.includes(selector);
      gate.set(
        options.gates.length > 0 ? [[ALL, "all"], ...options.gates.map((each) => [each, gateName(each)] as const)] : [],
        isGate ? selector : ALL,
      );
      unit.set(options.units, isGate ? null : selector);
      const how = isRecorded(name, info) ? "recorded with every batch" : "worked out when a batch is looked at";
      base.select.title = `${BASE_TEXT[of].explanation} This one is ${how}. In Python: widget.surface = "${name}"`;
      layer.select.title = "Layer 1 reads the data, the top one is read by the losses";
      direction.select.title =
        "Which cell of the layer: the one that reads on, the one that reads back, or both as one";
      gate.select.title = "The rows of one gate, or of all";
    },
  };
}

/** A unit is typed: there may be hundreds. */
function createUnitField(onChoose: (unit: string | null) => void) {
  const attributes = {
    "data-setting": "unit",
    type: "text",
    inputmode: "numeric",
    placeholder: "all",
    autocomplete: "off",
  };
  const { field, input, refuse } = createTypedField("Unit", attributes, commit);
  let units = 0;
  let held: string | null | undefined;

  function commit() {
    const unit = unitTyped(input.value, units);
    refuse(unit === undefined ? `Unit takes a number from 0 to ${units - 1}, or all.` : "");
    if (unit !== undefined && unit !== held) onChoose(unit);
  }

  function set(most: number, unit: string | null) {
    field.hidden = most < 2;
    input.title = `The rows, or the entry, of one hidden unit: 0 to ${most - 1}; empty: all of them`;
    if (unit !== held || most !== units) {
      input.value = unit ?? "";
      refuse("");
    }
    [units, held] = [most, unit];
  }
  return { field, set };
}
