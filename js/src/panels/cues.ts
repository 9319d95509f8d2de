/** Batches worth looking at: marks above the bars of panel 1, and a ranked list of reasons. */

import { select } from "d3-selection";
import { element, OWN_KEYS, setText, svgElement } from "../browser/dom";
import { createInputs } from "../figure/inputs";
import type { BarLayout } from "../geometry/bars";
import { LEFT } from "../geometry/columns";
import type { Cue } from "../protocol/contract";
import { cuesByBatch } from "../state/cues";
import type { State } from "../state/store";
import { formatCount } from "../words/format";
import type { Svg } from "./plot";

const Y = 20;
/** A mark is small; what can be hit is this wide. */
const TARGET = 12;

/** One shape for each kind, on a grid of about 9 pixels around 0. */
const SHAPES: Record<Cue["kind"], string> = {
  diverged: "M-4,-3L-3,-4L0,-1L3,-4L4,-3L1,0L4,3L3,4L0,1L-3,4L-4,3L-1,0Z",
  tallest: "M-4.5,3.5L0,-4.5L4.5,3.5Z",
  sudden_change: "M0,-4.5L4,0L0,4.5L-4,0Z",
  first_clipped: "M-4.5,-4h9v2.5h-3.25V4h-2.5V-1.5h-3.25Z",
  longest_horizon: "M-6,-4h2v3h8v-3h2v8h-2v-3h-8v3h-2Z",
  shortest_horizon: "M-1,-4h2v8h-2ZM-6,-3L-2,0L-6,3ZM6,-3L2,0L6,3Z",
};

type SelectBatch = (batch: number, reason?: string) => void;

interface Mark {
  batch: number;
  kind: Cue["kind"];
  reasons: string;
  x: number;
}

export function createCueMarks(svg: Svg, selectBatch: SelectBatch) {
  const group = svg.append("g").attr("class", "cue-marks");
  const inputs = createInputs();

  /** One mark for each batch in view; of marks that would lie on each other, the highest in rank. */
  function marksOf({ cues, run }: State, layout: BarLayout): Mark[] {
    const marks: Mark[] = [];
    for (const [batch, reasons] of cuesByBatch(cues)) {
      const index = run.nearest(batch);
      const column = index < 0 ? null : layout.columnOf(index);
      if (column === null) continue;
      const x = LEFT + (layout.left(column) + layout.right(column)) / 2;
      if (marks.some((mark) => Math.abs(mark.x - x) < TARGET - 2)) continue;
      const words = reasons.map(({ reason }) => reason).join(" ");
      marks.push({ batch, kind: reasons[0].kind, reasons: words, x });
    }
    return marks;
  }

  return {
    update(state: State, layout: BarLayout) {
      if (!inputs.changed(state.cues, state.run, state.run.length, layout)) return;
      group
        .selectAll<SVGGElement, Mark>("g")
        .data(marksOf(state, layout), (mark) => mark.batch)
        .join((enter) => {
          const made = enter.append("g");
          made
            .append("rect")
            .attr("class", "cue-target")
            .attr("x", -TARGET / 2)
            .attr("y", -TARGET / 2);
          made.selectAll("rect").attr("width", TARGET).attr("height", TARGET);
          made.append("path");
          made.append("title");
          return made;
        })
        .attr("data-cue", ({ kind }) => kind)
        .attr("data-batch", ({ batch }) => batch)
        .attr("transform", ({ x }) => `translate(${x},${Y})`)
        .on("click", (event: MouseEvent, { batch, reasons }) => {
          event.stopPropagation();
          selectBatch(batch, reasons);
        })
        .each(function draw({ kind, batch, reasons }) {
          const mark = select(this);
          mark.select("path").attr("d", SHAPES[kind]);
          mark.select("title").text(`Batch ${formatCount(batch)}: ${reasons}`);
        });
    },
  };
}

export function createCueList(parent: HTMLElement, selectBatch: SelectBatch) {
  const summary = element("summary");
  const list = element("ol");
  const details = element("details", { class: "cues", attributes: OWN_KEYS }, summary, list);
  parent.append(details);
  let drawn: readonly Cue[] | null = null;
  let selected: number | null | undefined;

  function createEntry({ batch, kind, reason }: Cue) {
    const button = element(
      "button",
      { attributes: { type: "button", "data-batch": String(batch), "data-cue": kind } },
      element("span", { class: "cue-batch", text: formatCount(batch) }),
      shape(kind),
      element("span", { class: "cue-reason", text: reason }),
    );
    button.addEventListener("click", () => selectBatch(batch, reason));
    return element("li", {}, button);
  }

  return {
    update({ cues, selected: number }: State) {
      details.hidden = cues.length === 0;
      if (cues !== drawn) {
        drawn = cues;
        selected = undefined;
        setText(summary, `Worth a look: ${formatCount(cues.length)}`);
        list.replaceChildren(...cues.map(createEntry));
      }
      if (number === selected) return;
      selected = number;
      for (const button of list.querySelectorAll("button")) {
        const current = number !== null && button.dataset.batch === String(number);
        button.setAttribute("aria-current", String(current));
      }
    },
  };
}

const shape = (kind: Cue["kind"]) =>
  svgElement(
    "svg",
    { class: "icon", viewBox: "-7 -6 14 12", "aria-hidden": "true" },
    svgElement("path", { d: SHAPES[kind] }),
  );
