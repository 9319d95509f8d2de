/** Panel 1: one number of every recorded batch. Hover previews a batch, click selects it; the view can be zoomed. */

import { element, setText } from "../browser/dom";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import { createInputs } from "../figure/inputs";
import { WIDEST } from "../geometry/bars";
import { LEFT } from "../geometry/columns";
import { createViewport, type Viewport } from "../geometry/viewport";
import type { Info, Quantity } from "../protocol/contract";
import type { Commands } from "../session/session";
import { nextCue } from "../state/cues";
import type { Run } from "../state/run";
import type { State } from "../state/store";
import { formatCount, formatNumber } from "../words/format";
import { meanLossText } from "../words/outcomes";
import { overviewName, overviewSurface, QUANTITY_TEXT, seriesOf, valueText } from "../words/quantities";
import { streamName } from "../words/streams";
import { surfaceName } from "../words/surface_text";
import { taskOf } from "../words/task";
import { describeOverview } from "./alternatives";
import { createCueList, createCueMarks } from "./cues";
import { createFrame } from "./frame";
import { createOverviewControls } from "./overview_controls";
import { type OverviewState, steerByKeys, steerByPointer } from "./overview_gestures";
import { createOverviewPlot, type Drawing, HEIGHT, plotWidth } from "./overview_plot";
import { nearestDetailed } from "./pending_note";
import { createSvg, makeSteerable } from "./plot";
import { createRunStrip } from "./run_strip";

const HINT =
  "One bar per recorded batch: hover previews it below, click selects it. Ctrl or ⌘ + wheel zooms, dragging pans, a " +
  "double-click shows all.";
const KEYS =
  "Recorded batches. Arrow keys, Page Up and Down, Home and End select one; Escape follows the newest. " +
  "Plus and minus zoom, shift and arrow keys pan, zero shows the whole run. N and P go to " +
  "the next and the previous batch that is worth a look, D to the nearest batch whose details are there.";

export function createOverview(parent: HTMLElement, commands: Commands, gestures: Gestures): Panel {
  const { section, head, describe } = createFrame(parent, "overview", 1, "Overview", HINT);
  const controls = createOverviewControls(head, commands, { follow: toggleFollowing, showAll });
  const headline = element("p", { class: "headline" });
  section.append(headline);
  const svg = createSvg(section, HEIGHT);
  makeSteerable(svg, KEYS);
  const plot = createOverviewPlot(svg);
  const strip = createRunStrip(section, () => viewport, gestures.redraw);
  const note = element("p", { class: "hint reading" });
  section.append(note);
  const cueMarks = createCueMarks(svg, selectBatch);
  const cueList = createCueList(section, selectBatch);

  let figure: Figure | null = null;
  let drawing: Drawing | null = null;
  let viewport: Viewport = createViewport();
  let length = 0;
  let selected: number | null = null;
  const inputs = createInputs();

  const state: OverviewState = {
    get figure() {
      return figure;
    },
    get viewport() {
      return viewport;
    },
    positionAt: (x) => drawing?.layout.positionAt(x - LEFT) ?? 0,
    partAt: (x) => (figure ? (x - LEFT) / plotWidth(figure.width, figure.state.overlay) : 0),
    select: selectIndex,
    selectCue,
    selectDetailed,
    redraw: gestures.redraw,
  };
  steerByPointer(svg, plot, state, gestures);
  steerByKeys(svg, state, commands, gestures);

  function showAll() {
    viewport.showAll();
    gestures.redraw();
  }

  function toggleFollowing() {
    if (!figure) return;
    if (figure.state.selected !== null) commands.select(null);
    else if (figure.selected >= 0) selectIndex(figure.selected);
  }

  function selectIndex(index: number) {
    if (figure) selectBatch(figure.state.run.batches()[index]);
  }

  function selectBatch(batch: number, reason = "") {
    gestures.preview(null);
    commands.select(batch);
    gestures.announce(`Batch ${formatCount(batch)} selected. ${reason}`.trim());
  }

  function selectCue(direction: 1 | -1) {
    if (!figure || figure.selected < 0) return;
    const cue = nextCue(figure.state.cues, figure.state.run.batches()[figure.selected], direction);
    if (cue) selectBatch(cue.batch, cue.reason);
  }

  function selectDetailed() {
    const nearest = figure?.pending && nearestDetailed(figure.pending, figure.state.run);
    if (typeof nearest === "number") selectBatch(nearest);
  }

  /** Takes in what has changed: the run's length, another run, another selection. */
  function updateViewport({ state: next, width, selected: index }: Figure) {
    // After a reset. A run that is only read again, as after a cell that trained, keeps its view.
    if (next.run.length < length) viewport = createViewport();
    length = next.run.length;
    const fewest = Math.ceil(plotWidth(width, next.overlay) / WIDEST);
    viewport.update(next.run.length, next.selected === null, fewest);
    if (next.selected !== null && next.selected !== selected) viewport.reveal(index);
    selected = next.selected;
  }

  function drawHeadline({ state, preview, selected, shown }: Figure) {
    const { run, info, quantity, overlay, stream } = state;
    const index = preview ?? selected;
    const value = (name: Quantity) => seriesOf(name, state).values()[index];
    const parts = [
      `${preview === null ? "Batch" : "Preview of batch"} ${formatCount(run.batches()[index])}`,
      ...[streamName(stream, info), targetsText(index, run, info, shown)].filter(Boolean),
      `${info.batch_size > 1 ? "minibatch: " : ""}max gradient ${[overviewName(state) && `of ${overviewName(state)}:`, formatNumber(value("max_gradient"))].filter(Boolean).join(" ")}`,
      `loss ${meanLossText(value("loss"), info)}`,
    ];
    for (const name of new Set([quantity, overlay])) {
      if (name === null || name === "max_gradient" || name === "loss") continue;
      parts.push(`${QUANTITY_TEXT[name].option} ${valueText(name, value(name), info)}`);
    }
    if (run.diverged(index)) parts.push("diverged");
    else if (run.clipped(index)) parts.push("clipped");
    setText(headline, parts.join("  ·  "));
  }

  return {
    update(next) {
      figure = next;
      const { state: drawn, width, preview } = next;
      updateViewport(next);
      const { run, measure, quantity, overlay, log_scale } = drawn;
      const { stream, surface } = drawn;
      const chosen = [measure, surface, quantity, overlay, log_scale, stream];
      if (inputs.changed(run, run.length, ...chosen, width, viewport.window) || !drawing) {
        svg.attr("width", width);
        svg.classed("zoomed", viewport.window !== null);
        drawing = plot.draw(drawn, viewport.window, width);
        describe(svg, describeOverview(drawn, drawing.series, drawing.from, drawing.to));
        const words = explain(drawn, drawing);
        setText(note, words);
        note.hidden = words === "";
      }
      plot.mark(run, next.selected, preview);
      cueMarks.update(drawn, drawing.layout);
      cueList.update(drawn);
      strip.update(drawn, width, next.selected);
      controls.update(drawn, viewport.window !== null);
      drawHeadline(next);
    },
  };
}

/** Where in the data the targets lie; not of an average: its windows are not one stretch. */
function targetsText(index: number, run: Run, info: Info, shown: Shown | null): string {
  if (taskOf(info).fresh) return "";
  const snapshot = shown?.snapshot;
  const [first, end] = run.targets(index);
  const start = info.batch_size === 1 ? first : snapshot?.start;
  if (typeof start !== "number") return "";
  const of = info.data_length === null ? "" : ` of ${formatCount(info.data_length)}`;
  return `targets ${formatCount(start)}–${formatCount(start + end - first - 1)}${of}`;
}

/** How the bars are to be read, and what of the window they cannot show. */
function explain(state: State, { layout, series, from, to }: Drawing): string {
  const { quantity, overlay, log_scale, run, stream, info } = state;
  const sentences: string[] = [];
  if (stream !== null) {
    sentences.push(`Every number here is the minibatch’s, the ${streamName(null, info)}, whichever is shown below.`);
  }
  if (layout.perColumn > 1) {
    const many = layout.perColumn < 10 ? formatNumber(layout.perColumn, 2) : formatCount(Math.round(layout.perColumn));
    const line = overlay ? ", and so is the line" : "";
    sentences.push(`Each pixel column stands for about ${many} batches: light the highest, dark their median${line}.`);
  }
  const clipped = run.countClipped(from, to);
  if ((quantity === "grad_norm" || quantity === "update_norm") && clipped > 0) {
    sentences.push(`${formatCount(clipped)} of ${formatCount(to - from)} batches were clipped (orange caps).`);
  }
  const zeros = log_scale ? series.countZeros(from, to) : 0;
  if (zeros > 0) {
    const which = zeros === 1 ? "1 batch is zero and has" : `${formatCount(zeros)} batches are zero and have`;
    sentences.push(`${which} no place on a logarithmic axis: marked below it.`);
  }
  const lost = series.countNonFinite(from, to);
  if (lost > 0 && QUANTITY_TEXT[quantity].sparse) {
    sentences.push(`Worked out for ${formatCount(to - from - lost)} of ${formatCount(to - from)} batches, and joined.`);
  } else if (lost > 0) {
    const later = overviewSurface(state) !== info.primary ? ", or were recorded before this surface was" : "";
    sentences.push(`${formatCount(lost)} ${lost === 1 ? "batch is" : "batches are"} not finite${later}: no bar.`);
  }
  if (quantity.endsWith("_gradient") && overviewSurface(state) !== state.surface) {
    const [shown, chosen] = [overviewSurface(state), state.surface].map((name) => surfaceName(name, info));
    sentences.push(`Bars are of ${shown}: of ${chosen} there is no number for every batch.`);
  }
  return sentences.join(" ");
}
