/** What a network is to learn, and the unit of its loss. */

import type { Info, Task } from "../protocol/contract";

/** What is known of a run that does not say: a text. */
const TEXT: Task = {
  kind: "classes",
  loss_name: "cross-entropy",
  loss_unit: "nats",
  inputs: null,
  input_vocabulary: [],
  input_entries: [],
  output_entries: [],
  fresh: false,
  baseline: null,
  baseline_name: "",
  least: null,
  least_name: "",
  solved_below: null,
};

export const taskOf = (info: Info): Task => info.task ?? TEXT;

/** What an axis is called that has the unit of the loss in it. */
export const inUnits = (axis: string, info: Info) => axis.replace("nats", taskOf(info).loss_unit || "loss");
