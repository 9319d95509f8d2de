/** What the tour through a comparison says, of the batch that is shown, and where it points. Pure. */

import type { TourStep } from "../help/tour_steps";
import { formatCount } from "../words/format";
import type { ComparisonState } from "./session";

/** What is toured. */
export interface Compared extends Pick<ComparisonState, "sides" | "sentence" | "mark" | "scale"> {
  batch: number;
  live: boolean;
  /** There is a course over training. */
  course: boolean;
}

/** The steps for what is shown now. */
export function comparisonSteps({ sides, sentence, mark, scale, batch, live, course }: Compared): TourStep[] {
  const names = sides.map(({ name }) => name).join(", ");
  const one = formatCount(batch);
  // An attempt of which no pieces were given has nothing beside its reference.
  const alone = sides.length === 1;
  const steps: (TourStep | false | null)[] = [
    {
      title: alone ? "What is shown" : "Side by side",
      text: alone
        ? `One side: ${names}. It shows batch ${one}, or the nearest that it has recorded.`
        : `${sides.length} sides: ${names}. They read the same windows of the same data, and all show batch ${one}, or the ` +
          `nearest that they have recorded.${live ? " The buttons train all of them, by the same number of batches." : ""}`,
      selectors: [".side-head"],
    },
    {
      title: alone ? "What was found, in a sentence" : "What differs, in a sentence",
      text: sentence || "What differs stands above the panels, as soon as anything can be said.",
      selectors: [".contrast:not([hidden])", ".side-head"],
    },
    course && {
      title: "Over training",
      text:
        "A line for each side, drawn as beside its name. Hover to preview a batch in all sides, click to select it; " +
        "Lines chooses what is drawn.",
      selectors: ["[data-panel=trend] svg[tabindex]"],
    },
    !alone && {
      title: "The same piece in all",
      text:
        "Hover over a part in panel 3 of one side: what the same loss sent to the same step lights up in all of them, each " +
        `with its numbers. ${
          scale === "shared"
            ? "All have one scale, so heights compare; each its own compares shapes."
            : "Each has its own scale, so shapes compare; one for all compares heights."
        }`,
      selectors: ["[data-panel=gradients] polygon.part", "[data-panel=gradients] svg[tabindex]"],
    },
    {
      title: "How far one loss reaches",
      text:
        `Panel 4 follows one loss back${alone ? "" : " in each side"}: the strongest, until you point at another or click to ` +
        "pin it. Where the bars have shrunk to nothing, the network hardly learns from that loss.",
      selectors: ["[data-panel=horizon] .gone-mark line", "[data-panel=horizon] .received"],
    },
    mark && {
      title: "Where they first differ",
      text:
        `The mark is at the first piece that is not as it should be: what step ${mark.step} received from the loss of step ` +
        `${mark.step + mark.lag}. Look there first.`,
      selectors: [".piece-mark", "[data-panel=gradients] svg[tabindex]"],
    },
  ];
  return steps.filter((step): step is TourStep => Boolean(step));
}
