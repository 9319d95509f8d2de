/** Entry point: a widget shows a run, or several side by side. */

import type { AnyModel } from "@anywidget/types";
import { createComparisonSession } from "./comparison/session";
import { createComparisonView } from "./comparison/view";
import type { ComparisonTraits, Traits } from "./contract";
import { createWidget, type Showing, showRun } from "./lifecycle";
import "./styles/index.css";

type AnyTraits = Traits & ComparisonTraits;

function showComparison(model: AnyModel<ComparisonTraits>): Showing {
  const session = createComparisonSession(model);
  return {
    draw: (place, signal) => createComparisonView(place, session, signal),
    join: session.join,
    destroy: session.destroy,
  };
}

export default createWidget<AnyTraits>((model) =>
  model.get("_sides")
    ? showComparison(model as unknown as AnyModel<ComparisonTraits>)
    : showRun(model as unknown as AnyModel<Traits>),
);
