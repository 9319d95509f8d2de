/** Panel 2: the true label of every step, and below it the model's most likely label. */

import { pointer } from "d3-selection";
import { setText } from "../browser/dom";
import type { Tooltip } from "../controls/tooltip";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import type { Columns } from "../geometry/columns";
import { type Focus, focusedLoss } from "../geometry/focus";
import { lossRooms } from "../geometry/loss_rooms";
import { reveal } from "../geometry/step_window";
import type { State } from "../state/store";
import { describeOutcome, explainLosses } from "../words/outcomes";
import { streamName } from "../words/streams";
import { taskOf } from "../words/task";
import { sentence } from "../words/tooltip_content";
import { describePredictions } from "./alternatives";
import { createFrame } from "./frame";
import { createInputRows } from "./input_rows";
import { answerKeys, pinByKey } from "./keys";
import { createLabelColumns, MARKS, ROW, SMALL_CHARACTER } from "./label_columns";
import { createLabelStrip } from "./label_strip";
import { createSvg, makeSteerable, onLeave, withAttributes } from "./plot";
import { createShareColumns } from "./share_columns";
import { createValueColumns, type ValueForm } from "./value_columns";
import { makeZoomable, zoomByKey } from "./zoomable";

const HEIGHT = 2 * ROW + MARKS + 2;
/** Room for a label among narrow columns without a loss. */
const LABEL_ROOM = 28;

/** What the two rows beside the columns are called. */
const ROW_NAMES = {
  labels: ["true", "predicted"],
  average: ["streams", "right"],
  numbers: ["true", "predicted"],
  marks: ["— true", "● predicted"],
  errors: ["mean loss", "of streams"],
};

const HINT =
  "The true label above, the most likely prediction below: ✓ right, × wrong. Hover a column to follow its loss.";
const NARROW_HINT =
  "Too narrow for labels: point at a step to read the text around it. Tall and orange: wrong; low and green: right.";

const AVERAGE_HINT =
  "labels differ; choose one stream to read its text. Columns fill up with the streams that were right. Hover one to follow its loss.";

const VALUE_HINTS: Record<ValueForm, string> = {
  numbers: "The true value above, the predicted one below; the bar beneath is the size of the error.",
  marks: "Lines: true values; dots: predicted ones; between them, and as a bar beneath, the error.",
  errors: "values differ; choose one stream to see them. Bars: mean loss of each step.",
};

export function createPredictions(parent: HTMLElement, tooltip: Tooltip, gestures: Gestures): Panel {
  const { section, hint, nameStream, describe } = createFrame(
    parent,
    "predictions",
    2,
    "Targets and predictions",
    HINT,
  );
  const svg = createSvg(section, HEIGHT);
  const inputRows = createInputRows(section, svg.node());
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
  const valueForm = createValueColumns(svg);
  let figure: Figure | null = null;
  let focus: Focus = { target: null, pinned: null };

  const stepAt = (event: PointerEvent | MouseEvent) =>
    figure?.shown?.columns.stepAt(pointer(event, svg.node())[0]) ?? null;

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const step = stepAt(event);
      gestures.point(step === null ? null : { kind: "loss", step });
    })
    .on("blur", () => gestures.point(null))
    .on("click", (event: MouseEvent) => gestures.pin(stepAt(event)))
    .on(
      "keydown",
      answerKeys((event) => {
        gestures.settle();
        if (!figure?.shown) return false;
        return zoomByKey(event, figure.shown, gestures) || onKey(event.key, figure.shown);
      }),
    );
  onLeave(svg, () => gestures.point(null));
  makeZoomable(svg, gestures, () => figure?.shown ?? null);

  function onKey(key: string, { snapshot, columns, view }: Shown): boolean {
    const loss = focusedLoss(focus);
    if (pinByKey(key, focus, gestures)) return true;
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

  function contentOf(step: number, snapshot: Shown["snapshot"], state: State) {
    const { title, rows } = describeOutcome(snapshot, step, state);
    const shown = streamName(snapshot.stream, state.info);
    return { title, rows: shown ? [["shown", shown] satisfies [string, string], ...rows] : rows };
  }

  function showTooltip(step: number, { snapshot, columns }: Shown, state: State) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const readsAround = formOf(snapshot, columns) === stripForm;
    const around = readsAround ? 8 : 0;
    const span = { left: frame.left + columns.x(step) - around, right: frame.left + columns.x(step + 1) + around };
    tooltip.show(contentOf(step, snapshot, state), [span], frame.top + (readsAround ? 2.5 * HEIGHT : ROW));
  }

  /** Narrow columns still have room for labels if few of them have a loss. */
  const labelsFit = (snapshot: Shown["snapshot"], columns: Columns) =>
    columns.width >= SMALL_CHARACTER || lossRooms(snapshot, columns).every(({ room }) => room >= LABEL_ROOM);

  function formOf(snapshot: Shown["snapshot"], columns: Columns) {
    if (snapshot.values || !snapshot.probability) return valueForm;
    if (snapshot.average) return shareForm;
    return labelsFit(snapshot, columns) ? columnsForm : stripForm;
  }

  function hintOf({ snapshot, columns }: Shown, { info }: State, form: ValueForm | null): string {
    const average = snapshot.average ? `Average over ${info.batch_size} streams: ` : "";
    const line = form === "errors" && taskOf(info).baseline !== null ? " The dashed line is the baseline." : "";
    if (form) return `${average}${VALUE_HINTS[form]}${line}`;
    if (average) return `${average}${AVERAGE_HINT}`;
    return labelsFit(snapshot, columns) ? HINT : NARROW_HINT;
  }

  return {
    update(next) {
      figure = next;
      const { shown, state } = next;
      if (!shown) return;
      const { columns, snapshot } = shown;
      const form = formOf(snapshot, columns);
      svg.each(withAttributes(() => ({ width: next.width })));
      const inputWords = inputRows.draw(shown, state, next.width);
      const valueWords = valueForm.draw(form === valueForm ? shown : null, state.info);
      const kind = form === valueForm ? valueWords : snapshot.average ? "average" : "labels";
      rowLabels.attr("x", columns.left - 8).text((row) => ROW_NAMES[kind][row]);
      describe(svg, describePredictions(shown, state));
      nameStream(streamName(snapshot.stream, state.info));
      const words = [hintOf(shown, state, form === valueForm ? valueWords : null), inputWords, explainLosses(snapshot)];
      setText(hint, words.filter(Boolean).join(" "));
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
      valueForm.light(loss);
      inputRows.light(focus.target ? focus.target.step : focus.pinned);
      // The text around the step that is pointed at; of a part, around the step that receives.
      stripForm.light(loss, focus.target ? focus.target.step : focus.pinned);
    },
  };
}
