/** What the quantities are called that there is one number of for each batch. */

import type { Quantity } from "./contract";
import { formatCount, formatLoss, formatNumber, formatPercent } from "./format";
import { maxColumn, meanColumn } from "./protocol";
import type { Series } from "./series";
import type { State } from "./store";
import { measureFor } from "./surfaces";

interface QuantityText {
  option: string;
  /** The axis, with its unit. */
  axis: string;
  /** Whether only whole numbers are worth a tick. */
  whole: boolean;
  /** One value in the headline. */
  format(value: number): string;
}

const gradient = (value: number) => formatNumber(value);
const part = (value: number) => (Number.isFinite(value) ? formatPercent(value) : formatNumber(value));

export const QUANTITY_TEXT: Record<Quantity, QuantityText> = {
  max_gradient: {
    option: "max gradient",
    axis: "tallest bar of the batch (nats per unit weight)",
    whole: false,
    format: gradient,
  },
  mean_gradient: {
    option: "mean gradient",
    axis: "mean bar of the batch (nats per unit weight)",
    whole: false,
    format: gradient,
  },
  grad_norm: {
    option: "gradient norm before clipping",
    axis: "norm of the whole gradient, before clipping",
    whole: false,
    format: gradient,
  },
  update_norm: {
    option: "gradient norm after clipping",
    axis: "norm of the whole gradient, after clipping",
    whole: false,
    format: gradient,
  },
  loss: {
    option: "loss",
    axis: "loss (nats per step)",
    whole: false,
    format: (value) => `${formatLoss(value)} nats per step`,
  },
  accuracy: {
    option: "accuracy",
    axis: "accuracy (part predicted right)",
    whole: false,
    format: part,
  },
  horizon_length: {
    option: "horizon length",
    axis: "horizon length (steps)",
    whole: true,
    format: (value) => `${Number.isInteger(value) ? formatCount(value) : formatNumber(value)} steps`,
  },
  spectral_radius: {
    option: "spectral radius",
    axis: "spectral radius of the recurrent weights",
    whole: false,
    format: gradient,
  },
  largest_singular_value: {
    option: "largest singular value",
    axis: "largest singular value of the recurrent weights",
    whole: false,
    format: gradient,
  },
  saturation: {
    option: "saturation",
    axis: "saturation (part of the activations close to their limits)",
    whole: false,
    format: part,
  },
  unit_median: {
    option: "median over units",
    axis: "gradient of a hidden unit’s weights, median over units",
    whole: false,
    format: gradient,
  },
  unit_p90: {
    option: "90 % quantile over units",
    axis: "gradient of a hidden unit’s weights, 90 % quantile over units",
    whole: false,
    format: gradient,
  },
  unit_max: {
    option: "maximum over units",
    axis: "gradient of a hidden unit’s weights, maximum over units",
    whole: false,
    format: gradient,
  },
};

/** The surface whose bars the overview has the heights of: the chosen one, else the one that is recorded first. */
export function overviewSurface({ run, surface, info }: State): string {
  return run.has(maxColumn(surface, "norm")) ? surface : info.primary;
}

/** A quantity of every recorded batch; of gradients in the chosen measure. */
export function seriesOf(quantity: Quantity, state: State): Series {
  const column = { max_gradient: maxColumn, mean_gradient: meanColumn }[quantity as string];
  if (!column) return state.run.series(quantity);
  const surface = overviewSurface(state);
  return state.run.series(column(surface, measureFor(surface, state.measure)));
}
