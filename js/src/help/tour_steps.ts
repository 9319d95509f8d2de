/** What the tour says, of the batch that is shown, and where it points. Pure. */

import type { Figure, Shown } from "../figure/figure";
import { describeDecay, fallsBelow, openingLoss, piecesOf } from "../geometry/decay";
import { tallestBar } from "../geometry/tallest";
import { counted, formatCount, formatPercent } from "../words/format";
import { hasLoss } from "../words/outcomes";
import { read } from "../words/reading";
import { isJacobian, receiverName, senderName } from "../words/surface_text";

export interface TourStep {
  title: string;
  text: string;
  /** Where it points; of several selectors the first that has something in view. */
  selectors: readonly string[];
}

/** The steps for what is shown now: their number does not depend on it. */
export function tourSteps({ state, shown }: Pick<Figure, "state" | "shown">): TourStep[] {
  const { run, info } = state;
  return [
    {
      title: "A run, batch by batch",
      text:
        `Each bar is a recorded batch; ${formatCount(run.length)} ${run.length === 1 ? "is" : "are"} here. ` +
        `${shown ? `Batch ${formatCount(shown.snapshot.batch)} is shown: the panels below take it apart. ` : ""}` +
        "Hover another bar to preview it, click to select it.",
      selectors: ["[data-panel=overview] .selected-bar", "[data-panel=overview] svg[tabindex]"],
    },
    {
      title: "What the network read and answered",
      text: shown ? answers(shown) : "Columns are the steps of the window, with the right answer and the network’s.",
      selectors: ["[data-panel=predictions] .step.wrong .cell", "[data-panel=predictions] svg[tabindex]"],
    },
    {
      title: "Where the gradient comes from",
      text: shown
        ? tallest(shown)
        : "A bar is the gradient that a step received, from its own loss and from later ones.",
      selectors: ["[data-panel=gradients] polygon.part", "[data-panel=gradients] svg[tabindex]"],
    },
    {
      title: "Colour is distance",
      text: shown
        ? distances(shown)
        : "The darkest part of a bar comes from the step’s own loss, lighter ones from later.",
      selectors: ["[data-panel=gradients] .legend:not([hidden])", "[data-panel=gradients] svg[tabindex]"],
    },
    {
      title: "One loss, followed back",
      text: shown ? horizon(shown) : "What one loss sent to each step before it.",
      selectors: ["[data-panel=horizon] .gone-mark line", "[data-panel=horizon] .received", "[data-panel=horizon] svg"],
    },
    {
      title: "In words",
      text:
        "The batch that is shown is read aloud here; whether the network can learn long dependencies, and what to try, " +
        "stands under Diagnosis. Where nothing is known, nothing is said.",
      selectors: [".reading-aloud:not([hidden])", ".diagnoses:not([hidden])", ".status"],
    },
    {
      title: "Your turn",
      text: info.live
        ? "Press Play and watch the gradients change, or change a setting and Reset. Panels explain themselves: press ? in " +
          "their heads. With a keyboard, Tab reaches each plot and the arrow keys move in it."
        : "Hover and click through the batches. Panels explain themselves: press ? in their heads. With a keyboard, Tab " +
          "reaches each plot and the arrow keys move in it.",
      selectors: [".buttons:not([hidden]) [data-action=play]", "[data-panel=overview] button.how"],
    },
  ];
}

function answers({ snapshot }: Shown): string {
  const { steps, prediction, target, average, values } = snapshot;
  const begun = `Columns are the ${formatCount(steps)} steps of the window, in the order in which they are read.`;
  const all = Array.from({ length: steps }, (_, step) => step).filter((step) => hasLoss(snapshot, step));
  const told =
    average || values
      ? ` ${formatCount(all.length)} of them have a loss, which sends a gradient back.`
      : ` At ${formatCount(all.filter((step) => prediction[step] === target[step]).length)} of ${formatCount(all.length)} ` +
        "the likeliest answer was right. Each has a loss, which sends a gradient back.";
  return begun + told;
}

function tallest({ snapshot, items, surface }: Shown): string {
  const sender = senderName(surface);
  const found = tallestBar(snapshot, items);
  if (!found) return `For each step: what the ${sender === "loss" ? "losses" : "states"} around it sent to it.`;
  return (
    "A bar is the gradient of the shared weights by way of one step: their whole gradient is the sum over all steps and " +
    `losses. Step ${found.step} received the most, ${formatPercent(found.own)} of it from its own loss.`
  );
}

function distances(shown: Shown): string {
  const { snapshot, surface, items } = shown;
  const begun =
    "The darkest part of a bar comes from the step’s own loss; the lighter a part, the further away its loss, whose " +
    "gradient went back through every step between.";
  const { near } = isJacobian(surface) ? { near: null } : read(snapshot, surface);
  if (near?.lag == null) return items.lags === 1 ? `${begun} Here only own losses were recorded.` : begun;
  const far = near.lag === 0 ? "each step’s own loss" : `losses at most ${counted(near.lag, "step")} away`;
  return `${begun} Here ${Math.round(100 * near.part)} % of the gradient of ${receiverName(surface)} comes from ${far}.`;
}

function horizon({ snapshot, surface, items }: Shown): string {
  const loss = openingLoss(snapshot, surface, items);
  const sent = piecesOf(loss, snapshot, items);
  const begun = `The loss of step ${loss} sent these pieces back, one to each of ${formatCount(sent.length)} steps: `;
  const said = `${begun}${describeDecay(loss, snapshot, surface)}.`;
  if (isJacobian(surface) || fallsBelow(loss, snapshot, surface).length === 0) return said;
  return `${said} This is how a gradient vanishes: what lies further back hardly learns from this loss.`;
}
