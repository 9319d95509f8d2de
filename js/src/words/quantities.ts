/** What the quantities are called that there is one number of for each batch. */

import { maxColumn, meanColumn } from "../protocol/chunks";
import type { Info, Quantity } from "../protocol/contract";
import type { Series } from "../state/series";
import type { State } from "../state/store";
import { measureFor } from "../state/surfaces";
import { counted, formatLoss, formatNumber, formatPercent, formatTick } from "./format";
import { meanLossText } from "./outcomes";
import { distinctName, surfaceName } from "./surface_text";
import { inUnits, taskOf } from "./task";

type Group = "gradient" | "training" | "recurrent weights" | "hidden units";

interface QuantityText {
  /** Under which it is listed. */
  group: Group;
  option: string;
  /** The axis, with its unit. */
  axis: string;
  /** Whether only whole numbers are worth a tick. */
  whole: boolean;
  /** Known of some batches only, since it takes its time to work out. */
  sparse?: true;
  /** One value in the headline. */
  format(value: number): string;
}

const gradient = (value: number) => formatNumber(value);
const sparse = (value: number) => (Number.isNaN(value) ? "not worked out for this batch" : formatNumber(value));
/** "1 step", "14.5 steps". */
const stepsText = (value: number) =>
  Number.isFinite(value) ? counted(value, "step", formatTick(value)) : formatNumber(value);
const part = (value: number) => (Number.isFinite(value) ? formatPercent(value) : formatNumber(value));

export const QUANTITY_TEXT: Record<Quantity, QuantityText> = {
  max_gradient: {
    group: "gradient",
    option: "max gradient",
    axis: "tallest bar of the batch (nats per unit weight)",
    whole: false,
    format: gradient,
  },
  mean_gradient: {
    group: "gradient",
    option: "mean gradient",
    axis: "mean bar of the batch (nats per unit weight)",
    whole: false,
    format: gradient,
  },
  grad_norm: {
    group: "gradient",
    option: "gradient norm before clipping",
    axis: "norm of the whole gradient, before clipping",
    whole: false,
    format: gradient,
  },
  update_norm: {
    group: "gradient",
    option: "gradient norm after clipping",
    axis: "norm of the whole gradient, after clipping",
    whole: false,
    format: gradient,
  },
  loss: {
    group: "training",
    option: "loss",
    axis: "loss (nats per step)",
    whole: false,
    format: (value) => `${formatLoss(value)} nats per step`,
  },
  accuracy: {
    group: "training",
    option: "accuracy",
    axis: "accuracy (part predicted right)",
    whole: false,
    format: part,
  },
  horizon_length: {
    group: "gradient",
    option: "horizon length",
    axis: "horizon length (steps)",
    whole: true,
    format: stepsText,
  },
  spectral_radius: {
    group: "recurrent weights",
    sparse: true,
    option: "spectral radius",
    axis: "spectral radius of W_hh",
    whole: false,
    format: sparse,
  },
  largest_singular_value: {
    group: "recurrent weights",
    sparse: true,
    option: "largest singular value",
    axis: "largest singular value of W_hh",
    whole: false,
    format: sparse,
  },
  saturation: {
    group: "training",
    option: "saturation",
    axis: "saturation (part of the activations close to their limits)",
    whole: false,
    format: part,
  },
  unit_median: {
    group: "hidden units",
    option: "median over units",
    axis: "norm of a unit’s rows of ∂L/∂W_hh, median over units",
    whole: false,
    format: gradient,
  },
  unit_p90: {
    group: "hidden units",
    option: "90 % quantile over units",
    axis: "norm of a unit’s rows of ∂L/∂W_hh, 90 % quantile over units",
    whole: false,
    format: gradient,
  },
  unit_max: {
    group: "hidden units",
    option: "maximum over units",
    axis: "norm of a unit’s rows of ∂L/∂W_hh, maximum over units",
    whole: false,
    format: gradient,
  },
};

/** The surface whose bars the overview has the heights of: the chosen one, else the one that is recorded first. */
export function overviewSurface({ run, surface, info }: State): string {
  return run.has(maxColumn(surface, "norm")) ? surface : info.primary;
}

/** Whether a quantity is of one surface: there may be several. */
const isOfSurface = (quantity: Quantity) => quantity === "max_gradient" || quantity === "mean_gradient";

/** The axis of a quantity, in the unit of the loss; where the network has several surfaces, with the one that it is of. */
export function axisOf(quantity: Quantity, state: State): string {
  const { loss_unit, loss_name } = taskOf(state.info);
  if (quantity === "loss" && !loss_unit) return loss_name;
  const axis = inUnits(QUANTITY_TEXT[quantity].axis, state.info);
  const name = isOfSurface(quantity) ? overviewName(state) : "";
  return name ? axis.replace("of the batch", `of ${name}`) : axis;
}

/** The same from long to short. */
export const axisTitles = (quantity: Quantity, state: State): string[] => {
  const axis = axisOf(quantity, state);
  return [axis, axis.replace(/ \([^()]*\)$/, "")];
};

/** Which surface the heights of bars are of; "" if that goes without saying. */
export function overviewName(state: State): string {
  const { surface, info } = state;
  return distinctName(surface, info) && surfaceName(overviewSurface(state), info);
}

/** A quantity of every recorded batch; of gradients in the chosen measure. */
export function seriesOf(quantity: Quantity, state: State): Series {
  if (!isOfSurface(quantity)) return state.run.series(quantity);
  const column = quantity === "max_gradient" ? maxColumn : meanColumn;
  const surface = overviewSurface(state);
  return state.run.series(column(surface, measureFor(surface, state.measure)));
}

/** One value of a quantity, with its unit. */
export const valueText = (quantity: Quantity, value: number, info: Info) =>
  quantity === "loss" ? meanLossText(value, info) : QUANTITY_TEXT[quantity].format(value);
