/** What panels 2, 3 and 4 draw of a batch, in the room that there is. */

import type { Theme } from "../browser/theme";
import { createColumns } from "../geometry/columns";
import { type StepWindow, whole } from "../geometry/step_window";
import type { Form } from "../protocol/contract";
import type { State } from "../state/store";
import { measureFor } from "../state/surfaces";
import { isJacobian } from "../words/surface_text";
import type { Shown } from "./figure";

/** Narrower columns are too thin for stacked bars. */
const READABLE = 6;
/** Windows whose columns are at least this wide are read without zooming: there a wheel scrolls the page. */
const AMPLE = 12;

export interface Room {
  width: number;
  theme: Theme;
  /** What the person zoomed to, in batches of so many steps. */
  zoomed: Zoomed | null;
}

export interface Zoomed {
  view: StepWindow;
  steps: number;
}

export function arrange(
  { snapshot, recorded, surface, companion }: Pick<Shown, "snapshot" | "recorded" | "surface" | "companion">,
  state: Pick<State, "measure" | "form">,
  { width, theme, zoomed }: Room,
): Shown {
  const { steps } = snapshot;
  const measure = measureFor(surface, state.measure);
  const view = zoomed?.steps === steps ? zoomed.view : whole(steps);
  const overall = createColumns(width, steps);
  return {
    snapshot,
    recorded,
    surface,
    measure,
    items: snapshot.items(surface, measure),
    companion: measure === "norm" ? companion : null,
    view,
    columns: createColumns(width, view.count, view.first),
    overall,
    width,
    ample: overall.width >= AMPLE,
    form: formOf(state.form, surface, overall.width),
    theme,
    extent: null,
  };
}

/** By the columns of the whole window, so that zooming never changes the form. Norms of Jacobians do not add up to a bar. */
function formOf(form: Form, surface: string, width: number): Shown["form"] {
  if (form !== "auto") return form;
  if (isJacobian(surface)) return "heatmap";
  return width >= READABLE ? "bars" : "heatmap";
}
