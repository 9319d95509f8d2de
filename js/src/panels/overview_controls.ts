/** The head of panel 1: what is drawn, on which scale, and how much of the run. */

import { element, OWN_KEYS } from "../browser/dom";
import { createButton, createIconButton } from "../controls/button";
import { createField } from "../controls/field";
import { type Info, QUANTITIES, type Quantity } from "../protocol/contract";
import type { Commands } from "../session/session";
import type { State } from "../state/store";
import { QUANTITY_TEXT } from "../words/quantities";
import { taskOf } from "../words/task";

export interface OverviewControls {
  update(state: State, zoomed: boolean): void;
}

interface Actions {
  follow(): void;
  showAll(): void;
}

const NONE = "";

export function createQuantitySelect(setting: string, label: string, title: string, others: HTMLOptionElement[]) {
  const groups = [...new Set(QUANTITIES.map((quantity) => QUANTITY_TEXT[quantity].group))];
  const options = groups.map((label) => {
    const within = QUANTITIES.filter((quantity) => QUANTITY_TEXT[quantity].group === label);
    const listed = within.map((quantity) =>
      element("option", { text: QUANTITY_TEXT[quantity].option, attributes: { value: quantity } }),
    );
    return element("optgroup", { attributes: { label } }, ...listed);
  });
  const select = element("select", { attributes: { "data-setting": setting, title } }, ...others, ...options);
  const accuracy = options
    .flatMap((group) => [...group.children])
    .find((option) => option.getAttribute("value") === "accuracy");
  return {
    select,
    field: createField(label, select),
    update(value: string, info: Info) {
      select.value = value;
      (accuracy as HTMLOptionElement).hidden = taskOf(info).kind === "values"; // it is of classes
    },
  };
}

export function createOverviewControls(head: HTMLElement, commands: Commands, actions: Actions): OverviewControls {
  const bars = createQuantitySelect("quantity", "Bars", "What the height of a bar is", []);
  const line = createQuantitySelect("overlay", "and a line", "A second quantity, drawn as a line with its own axis", [
    element("option", { text: "none", attributes: { value: NONE } }),
  ]);
  let logarithmic = false;
  const log = createButton("log-scale", "Log scale", () => commands.choose("log_scale", !logarithmic), {
    title: "Logarithmic axis for the bars",
  });
  const showAll = "Show the whole run again (0, or double-click)";
  const { button: whole } = createIconButton("whole-run", "whole", "Whole run", showAll, actions.showAll);
  const newest = "Always select the newest recorded batch";
  const { button: follow } = createIconButton("follow", "follow", "Follow newest", newest, actions.follow);
  bars.select.addEventListener("change", () => commands.choose("quantity", bars.select.value as Quantity));
  line.select.addEventListener("change", () =>
    commands.choose("overlay", line.select.value === NONE ? null : (line.select.value as Quantity)),
  );
  head.append(
    element(
      "div",
      { class: "choices", attributes: OWN_KEYS },
      bars.field,
      line.field,
      log,
      element("span", { class: "buttons" }, whole, follow),
    ),
  );

  return {
    update({ quantity, overlay, log_scale, selected, info }, zoomed) {
      logarithmic = log_scale;
      bars.update(quantity, info);
      line.update(overlay ?? NONE, info);
      log.setAttribute("aria-pressed", String(log_scale));
      whole.disabled = !zoomed;
      follow.setAttribute("aria-pressed", String(selected === null));
    },
  };
}
