/** How each panel is read, in a few sentences, and where in it they point. */

export type PanelName =
  | "trials"
  | "overview"
  | "trend"
  | "predictions"
  | "layers"
  | "gradients"
  | "horizon"
  | "choice"
  | "cell"
  | "units";

interface HowToText {
  text: string;
  /** What is outlined. */
  points: string;
  /** Where that is; of several, the first that is in view. */
  selectors: readonly string[];
}

export const HOW_TO_READ: Record<PanelName, HowToText> = {
  trials: {
    text:
      "A row for each trial, with the settings that are its own. Loss and horizon are medians of the newest 11 recorded " +
      "batches; ≥ says that the horizon may be longer than can be measured in the window. The small plot is the horizon " +
      "over training, all on one scale. Compare trials that differ in the seed first: so much is chance.",
    points: "Outlined: the trial that the panels show, else the first; its number opens it.",
    selectors: ["tr.shown", "tbody tr:first-child"],
  },
  overview: {
    text:
      "Each bar is a recorded batch, from the first at the left to the newest at the right. Unless you choose another " +
      "quantity, its height is the batch’s tallest bar in panel 3. Marks above the bars are batches worth a look.",
    points: "Outlined: the batch that panels 2 to 4 show.",
    selectors: [".selected-bar", ".selected-line", "svg[tabindex]"],
  },
  trend: {
    text:
      "One line for each side, over the batches that were trained. Lines that run together do not tell the sides apart; " +
      "whether they differ clearly, the sentence above says.",
    points: "Outlined: the batch that all sides show below.",
    selectors: [".shown-batch", "svg[tabindex]"],
  },
  predictions: {
    text:
      "Columns are the steps of the window, in the order in which the network reads them. Above stands what was right, " +
      "below what the network found most likely. Every wrong or unsure answer has a loss, and every loss sends a gradient.",
    points: "Outlined: one step, with its answer.",
    selectors: [".step.wrong .cell", ".step .cell", ".value-columns", "svg[tabindex]"],
  },
  layers: {
    text:
      "A row for each layer and direction, a column for each step, and colour for the size of the gradient, in powers of " +
      "ten. Point at a loss in any panel to see what it sent to each layer; a click on a row opens it in the panels.",
    points: "Outlined: the row that the panels show.",
    selectors: [".shown-track", "svg[tabindex]"],
  },
  gradients: {
    text:
      "A bar is what the step received from all losses: the gradient of the weights by way of this step. Its darkest " +
      "part comes from the step’s own loss, lighter ones from losses further ahead, which had to travel back to it. Dark " +
      "bars mean that hardly anything comes from far. The line on a bar is the size of the sum: below the top, parts cancel.",
    points: "Outlined: the largest piece, which one loss sent to one step.",
    selectors: ["polygon.part", "path.part", "canvas.heat", "svg[tabindex]"],
  },
  horizon: {
    text:
      "One loss, followed back in time: below each step hangs what that loss sent to it. How fast the bars shrink to the " +
      "left is how fast the gradient vanishes. Hover another part above to follow its loss; on the logarithmic axis a " +
      "steady decay is a straight line.",
    points:
      "Outlined: from here on less than 1 % of the largest piece is left, or if that is not reached, the largest.",
    selectors: [".gone-mark line", ".received", "svg:not(.icon)"],
  },
  choice: {
    text:
      "For each number k of lags: the part of a loss’s gradient that k lags leave out, of the loss that is worst off. The " +
      "smallest k that stays below the tolerance from there on is enough.",
    points: "Outlined: that k.",
    selectors: [".enough-line", "svg[tabindex]", ".choice-body button"],
  },
  cell: {
    text:
      "One step of the cell, with the gradient of one loss flowing from its output to its inputs. The wider and darker an " +
      "edge, the more flows along it; dotted edges carry nothing. The strips show the same edges at every step.",
    points: "Outlined: the way on which the step before is reached.",
    selectors: [
      "[data-edge=c_before] path.flow",
      "[data-edge=direct] path.flow",
      "[data-edge=h_before] path.flow",
      ".cell-body svg",
    ],
  },
  units: {
    text:
      "A card for each hidden unit: bars for what its rows of W_hh receive at each step, and a line for how its pieces " +
      "decay. Few units with a large share mean that they do most of the learning; the reach says how far back they learn.",
    points: "Outlined: the first unit in this order; a click shows it in the panels above.",
    selectors: [".unit-card:first-child", ".units-body"],
  },
};
