/** Entry point: a widget shows a run, several side by side, or a sweep. */

import type { AnyModel } from "@anywidget/types";
import { createWidget, showComparison, showRun } from "./lifecycle";
import type { ComparisonTraits } from "./protocol/comparison_contract";
import type { Traits } from "./protocol/contract";
import type { SweepTraits } from "./protocol/sweep_contract";
import { showSweep } from "./sweep/show";
import "./styles/index.css";

type AnyTraits = Traits & ComparisonTraits & SweepTraits;

export default createWidget<AnyTraits>((model) => {
  if (model.get("_table")) return showSweep(model as unknown as AnyModel<SweepTraits>);
  if (model.get("_sides")) return showComparison(model as unknown as AnyModel<ComparisonTraits>);
  return showRun(model as unknown as AnyModel<Traits>);
});
