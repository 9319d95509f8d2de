/** What the measures of a piece of the gradient are called. */

import type { Snapshot } from "../protocol/chunks";
import type { Measure } from "../protocol/contract";

interface MeasureText {
  option: string;
  /** One value, in a tooltip. */
  value: string;
  /** The mark on a bar; in the average over streams. */
  total: string;
  meanTotal: string;
  explanation: string;
}

export const MEASURE_TEXT: Record<Measure, MeasureText> = {
  norm: {
    option: "norm ‖G‖",
    value: "norm",
    total: "norm of the sum",
    meanTotal: "norm of the mean of the streams’ sums",
    explanation:
      "Frobenius norm of each piece. Norms add up to more than the norm of the sum when pieces point in different " +
      "directions; the mark on each bar shows the sum's own size.",
  },
  mean_abs: {
    option: "mean |G|",
    value: "mean |entry|",
    total: "mean |entry| of the sum",
    meanTotal: "mean |entry| of the mean of the streams’ sums",
    explanation: "Mean absolute entry of each piece: its typical effect on one weight, or one entry of a state.",
  },
  share: {
    option: "share of ‖ΣG‖",
    value: "signed share",
    total: "sum of the shares",
    meanTotal: "sum of the shares, mean over streams",
    explanation:
      "Projection of each piece on the batch's whole gradient (of states: on that of their step). Shares add up exactly " +
      "to its norm; a negative piece works against what all pieces make together.",
  },
};

/** What the mark on a bar is. */
export const totalText = (measure: Measure, { average }: Snapshot) =>
  average ? MEASURE_TEXT[measure].meanTotal : MEASURE_TEXT[measure].total;
