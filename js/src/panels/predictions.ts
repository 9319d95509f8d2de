/** Panel 2: the true label of every step, and below it the model's most likely label. */

import { pointer } from "d3-selection";
import type { Columns } from "../columns";
import { setText } from "../dom";
import { type Figure, type Focus, focusedLoss, type Gestures, labelOf, type Panel, type Shown } from "../figure";
import { formatLoss, formatNumber } from "../format";
import { reveal } from "../step_window";
import type { State } from "../store";
import { rightText, streamName } from "../streams";
import type { Tooltip, TooltipContent } from "../tooltip";
import { createFrame } from "./frame";
import { createLabelColumns, MARKS, ROW, SMALL_CHARACTER } from "./label_columns";
import { createLabelStrip } from "./label_strip";
import { createSvg, makeSteerable, sentence } from "./plot";
import { createShareColumns } from "./share_columns";
import { makeZoomable, zoomByKey } from "./zoomable";

const HEIGHT = 2 * ROW + MARKS + 2;

/** What the two rows beside the columns are called. */
const ROW_NAMES = { labels: ["true", "predicted"], average: ["streams", "right"] };

const HINT =
  "The true label above, the most likely prediction below: ✓ right, × wrong. Hover a column to follow its loss.";
const NARROW_HINT =
  "Too narrow for labels: point at a step to read the text around it. Tall and orange: wrong; low and green: right.";

const AVERAGE_HINT =
  "labels differ; choose one stream to read its text. Columns fill up with the streams that were right. Hover one to follow its loss.";

export function createPredictions(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const { section, hint, nameStream } = createFrame(parent, "predictions", 2, "Targets and predictions", HINT);
  const svg = createSvg(section, HEIGHT);
  makeSteerable(
    svg,
    "True and predicted labels. Left and right change the step; Enter pins its loss, Escape lets go; + − 0 zoom.",
  );
  const rowLabels = svg
    .selectAll<SVGTextElement, number>("text.row-label")
    .data([0, 1])
    .join("text")
    .attr("class", "row-label")
    .attr("y", (row) => row * ROW + ROW / 2)
    .attr("text-anchor", "end");
  const columnsForm = createLabelColumns(svg);
  const stripForm = createLabelStrip(svg);
  const shareForm = createShareColumns(svg);
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };

  const stepAt = (event: PointerEvent | MouseEvent) =>
    figure?.shown?.columns.stepAt(pointer(event, svg.node())[0]) ?? null;

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const step = stepAt(event);
      gestures.point(step === null ? null : { kind: "loss", step });
    })
    .on("pointerleave", (event: PointerEvent) => {
      if (event.pointerType !== "touch") gestures.point(null);
    })
    .on("blur", () => gestures.point(null))
    .on("click", (event: MouseEvent) => gestures.pin(stepAt(event)))
    .on("keydown", (event: KeyboardEvent) => {
      gestures.settle();
      if (!figure?.shown || !(zoomByKey(event, figure.shown, gestures) || onKey(event.key, figure.shown))) return;
      event.preventDefault();
      event.stopPropagation();
    });
  makeZoomable(svg, gestures, () => figure?.shown ?? null);

  function onKey(key: string, { snapshot, columns, view }: Shown): boolean {
    const loss = focusedLoss(focus);
    if (key === "Escape") {
      gestures.point(null);
      gestures.pin(null);
      return true;
    }
    if (key === "Enter" || key === " ") {
      if (loss !== null) gestures.pin(loss);
      return loss !== null;
    }
    const last = snapshot.steps - 1;
    const moves: Record<string, number> = {
      ArrowLeft: Math.max(0, (loss ?? columns.first + columns.count) - 1),
      ArrowRight: Math.min(last, (loss ?? columns.first - 1) + 1),
      Home: 0,
      End: last,
    };
    if (!(key in moves) || !figure) return false;
    const step = moves[key];
    if (!columns.has(step)) gestures.zoom(reveal(view, snapshot.steps, step));
    gestures.point({ kind: "loss", step });
    gestures.announce(sentence(contentOf(step, snapshot, figure.state)));
    return true;
  }

  function contentOf(step: number, snapshot: Shown["snapshot"], { labels, info }: State): TooltipContent {
    const shown = streamName(snapshot.stream, info);
    if (snapshot.accuracy) {
      return {
        title: `Step ${step}: ${rightText(snapshot.accuracy, step, info)}`,
        rows: [
          ["shown", shown],
          ["probability of the true label", formatNumber(snapshot.probability[step])],
          ["loss", `${formatLoss(snapshot.loss[step])} nats`],
        ],
      };
    }
    const right = snapshot.target[step] === snapshot.prediction[step];
    return {
      title: `Step ${step}: ${right ? "right" : "wrong"}`,
      rows: [
        ...(shown ? [["shown", shown] satisfies TooltipContent["rows"][number]] : []),
        ["true label", labelOf(labels, snapshot.target[step])],
        ["most likely", labelOf(labels, snapshot.prediction[step])],
        ["probability of the true label", formatNumber(snapshot.probability[step])],
        ["loss", `${formatLoss(snapshot.loss[step])} nats`],
      ],
    };
  }

  function showTooltip(step: number, { snapshot, columns }: Shown, state: State) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const readsAround = narrow(columns) && !snapshot.accuracy;
    const around = readsAround ? 8 : 0;
    const span = { left: frame.left + columns.x(step) - around, right: frame.left + columns.x(step + 1) + around };
    tooltip.show(contentOf(step, snapshot, state), [span], frame.top + (readsAround ? 2.5 * HEIGHT : ROW));
  }

  const narrow = (columns: Columns) => columns.width < SMALL_CHARACTER;

  function hintOf({ snapshot: { accuracy }, columns }: Shown, { info }: State): string {
    if (accuracy) return `Average over ${info.batch_size} streams: ${AVERAGE_HINT}`;
    return narrow(columns) ? NARROW_HINT : HINT;
  }

  return {
    update(next) {
      figure = next;
      const { shown, state } = next;
      if (!shown) return;
      const { columns, snapshot } = shown;
      const form = snapshot.accuracy ? shareForm : narrow(columns) ? stripForm : columnsForm;
      svg.attr("width", next.width);
      rowLabels.attr("x", columns.left - 8).text((row) => ROW_NAMES[snapshot.accuracy ? "average" : "labels"][row]);
      nameStream(streamName(snapshot.stream, state.info));
      setText(hint, hintOf(shown, state));
      columnsForm.draw(form === columnsForm ? shown : null, state.labels);
      stripForm.draw(form === stripForm ? shown : null, state.labels);
      shareForm.draw(form === shareForm ? shown : null, state.info);
    },
    explain({ target }) {
      if (!figure?.shown || target?.kind !== "loss") return;
      showTooltip(target.step, figure.shown, figure.state);
    },
    highlight(next) {
      focus = next;
      const loss = focusedLoss(focus);
      columnsForm.light(loss);
      shareForm.light(loss);
      // The text around the step that is pointed at; of a part, around the step that receives.
      stripForm.light(loss, focus.target ? focus.target.step : focus.pinned);
    },
  };
}
