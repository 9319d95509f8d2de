/** What the quantities are called that there is one number of for each batch. */

import type { Quantity } from "./contract";
import { formatCount, formatLoss, formatNumber, formatPercent } from "./format";

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
    format: (value) => (Number.isFinite(value) ? formatPercent(value) : formatNumber(value)),
  },
  horizon_length: {
    option: "horizon length",
    axis: "horizon length (steps)",
    whole: true,
    format: (value) => `${Number.isInteger(value) ? formatCount(value) : formatNumber(value)} steps`,
  },
};
