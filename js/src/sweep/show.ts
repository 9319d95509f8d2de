/** Ties a sweep to the life of its model, as `lifecycle.ts` does for what is within it. */

import type { AnyModel } from "@anywidget/types";
import type { Showing } from "../lifecycle";
import type { SweepTraits } from "../protocol/sweep_contract";
import { createSweepSession } from "./session";
import { createSweepView } from "./view";

export function showSweep(model: AnyModel<SweepTraits>): Showing {
  const session = createSweepSession(model);
  return {
    draw: (place, signal) => createSweepView(place, session, signal),
    join: session.join,
    destroy: session.destroy,
  };
}
