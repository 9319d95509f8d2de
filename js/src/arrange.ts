/** What panels 2, 3 and 4 draw of a batch, in the room that there is. */

import { createColumns } from "./columns";
import type { Form } from "./contract";
import type { Shown, Target } from "./figure";
import { AMPLE } from "./panels/zoomable";
import { type StepWindow, whole } from "./step_window";
import type { State } from "./store";
import { isJacobian } from "./surface_text";
import { measureFor } from "./surfaces";
import type { Theme } from "./theme";

/** Narrower columns are too thin for stacked bars. */
const READABLE = 6;

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

export function sameTarget(a: Target | null, b: Target | null): boolean {
  if (!a || !b) return a === b;
  if (a.kind !== b.kind || a.step !== b.step) return false;
  if (a.kind === "track" && b.kind === "track") return a.track === b.track;
  return a.kind !== "part" || b.kind !== "part" || (a.lag === b.lag && a.panel === b.panel);
}
