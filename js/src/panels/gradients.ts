/** Panel 3: the gradient that each step receives from each later loss, as stacked bars or as a heat map. */

import { pointer } from "d3-selection";
import { element, setAttributes, setText } from "../browser/dom";
import { createSegments } from "../controls/segments";
import type { Tooltip } from "../controls/tooltip";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import type { Focus } from "../geometry/focus";
import { reveal } from "../geometry/step_window";
import { lagsOf, stepsOf } from "../protocol/lags";
import type { Commands } from "../session/session";
import { zeroStep } from "../state/surfaces";
import { describeBeyond } from "../words/beyond";
import { explainLosses } from "../words/outcomes";
import { explainStreams, streamName } from "../words/streams";
import { axisTexts, distinctName, zeroStateText } from "../words/surface_text";
import { sentence } from "../words/tooltip_content";
import { describeGradients } from "./alternatives";
import { createFrame } from "./frame";
import { type GradientForm, type Place, TOP } from "./gradient_form";
import { describePart } from "./gradient_text";
import { createHeatMap } from "./heat_map";
import { answerKeys, arrowOf, pinByKey } from "./keys";
import { createPieceMark } from "./piece_mark";
import { createSvg, fittingText, makeSteerable, onLeave, withAttributes } from "./plot";
import { createStackedBars } from "./stacked_bars";
import { makeZoomable, zoomByKey } from "./zoomable";

const AXIS = 20;
const STEP_TICK_DISTANCE = 24;

const zeroNoteOf = (step: number) => `${zeroStateText(step)}: no gradient to W_hh here; this is not vanishing.`;

export function createGradients(parent: HTMLElement, tooltip: Tooltip, commands: Commands, gestures: Gestures): Panel {
  const { section, head, hint, nameStream, describe } = createFrame(parent, "gradients", 3, "Gradients per step", "");
  const choice = createSegments<Shown["form"]>(
    "Form of panel 3",
    [
      { value: "bars", text: "stacked bars", title: "One bar for each step, its parts ordered by lag" },
      { value: "heatmap", text: "heat map", title: "One cell for each piece: for long windows" },
    ],
    (form) => commands.choose("form", form),
  );
  head.insertBefore(choice.node, hint);
  const beyond = element("p", { class: "beyond-share" });
  head.append(beyond);
  const legends = element("div");
  const stage = element("div", { class: "stage" });
  section.append(legends, stage);
  const svg = createSvg(stage, TOP + AXIS);
  makeSteerable(
    svg,
    "Gradients per step. Left and right change the step, up and down the lag; Enter pins a loss, Escape lets go; " +
      "plus, minus and 0 zoom, shift with left and right moves.",
  );
  const forms: Record<Shown["form"], GradientForm> = {
    bars: createStackedBars(legends, svg),
    heatmap: createHeatMap(legends, stage, svg, () => {
      if (figure?.shown) draw(figure.shown, figure);
    }),
  };
  const title = svg.append("text").attr("class", "axis-title").attr("y", 10);
  const stepAxis = svg.append("g").attr("class", "axis steps");
  const stepTitle = svg.append("text").attr("class", "axis-title").attr("text-anchor", "end").text("step");
  const zeroNote = svg.append("text").attr("class", "zero-state").text("zero state · not vanishing");
  zeroNote.append("title").text(zeroNoteOf(0));

  const differs = createPieceMark(svg, "first differs here");

  let figure: Figure | null = null;
  let form = forms.bars;
  let focus: Focus = { target: null, pinned: null };

  function placeAt(event: PointerEvent | MouseEvent): Place | null {
    return figure?.shown ? form.pick(...pointer(event, svg.node())) : null;
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const place = placeAt(event);
      gestures.point(place && { kind: "part", step: place.step, lag: place.lag, panel: "gradients" });
    })
    .on("blur", () => gestures.point(null))
    .on("click", (event: MouseEvent) => {
      const place = placeAt(event);
      gestures.pin(place && place.lag !== null ? place.step + place.lag : null);
    })
    .on(
      "keydown",
      answerKeys((event) => {
        gestures.settle();
        if (!figure?.shown) return false;
        return zoomByKey(event, figure.shown, gestures) || onKey(event.key, figure, figure.shown);
      }),
    );
  onLeave(svg, () => gestures.point(null));
  makeZoomable(svg, gestures, () => figure?.shown ?? null);

  function onKey(key: string, { state }: Figure, shown: Shown): boolean {
    const { target } = focus;
    if (pinByKey(key, focus, gestures)) return true;
    const arrow = arrowOf(key);
    if (!arrow) return false;
    const { snapshot, items, columns, view } = shown;
    const { steps } = snapshot;
    const from = target?.kind === "part" ? { step: target.step, lag: target.lag ?? 0 } : null;
    const clamp = (value: number, first: number, end: number) => Math.max(first, Math.min(end - 1, value));
    const start = focus.pinned ?? columns.first + columns.count - 1;
    const step = clamp(from ? from.step + arrow[0] : start, 0, steps);
    const { first, end } = lagsOf(step, steps, items);
    const lag = from ? clamp(from.lag + arrow[1], first, end) : 0;
    if (!columns.has(step)) gestures.zoom(reveal(view, steps, step));
    gestures.point({ kind: "part", step, lag, panel: "gradients" });
    gestures.announce(sentence(describePart(step, lag, shown, state, form.rung(lag))));
    return true;
  }

  function draw(shown: Shown, { state, width, mark }: Figure) {
    svg.each(withAttributes(() => ({ width, height: TOP + form.height + AXIS })));
    form.draw(shown);
    const titles = axisTexts(shown.surface, shown.measure, state.info);
    title.text(form === forms.bars ? fittingText(titles, width) : "");
    drawSteps(shown);
    differs.update(mark ? form.box(mark.step, mark.lag) : null);
    drawNotes(shown, state);
  }

  function drawSteps({ columns }: Shown) {
    const base = TOP + form.height;
    const every = [1, 2, 5, 10, 20, 50, 100].find((interval) => interval * columns.width >= STEP_TICK_DISTANCE) ?? 200;
    const start = Math.ceil(columns.first / every) * every;
    const end = columns.first + columns.count;
    const ticks = Array.from({ length: Math.ceil((end - start) / every) }, (_, index) => start + index * every);
    stepAxis
      .selectAll<SVGTextElement, number>("text")
      .data(ticks)
      .join("text")
      .each(function draw(step) {
        setAttributes(this, { x: columns.center(step), y: base + 14 });
        setText(this, String(step));
      });
    stepTitle.attr("x", columns.left - 8).attr("y", base + 14);
  }

  function drawNotes({ snapshot, items, surface, measure, columns }: Shown, { info }: Figure["state"]) {
    const zero = zeroStep(surface, snapshot);
    const beside = zero === 0 && form === forms.bars && columns.width >= 12 && columns.has(0);
    zeroNote
      .classed("hidden", !beside)
      .attr("transform", `translate(${columns.center(0) + 3},${TOP + form.height - 6}) rotate(-90)`);
    nameStream([distinctName(surface, info), streamName(snapshot.stream, info)].filter(Boolean).join(" · "));
    const streams = explainStreams(snapshot, surface, measure, form === forms.bars, info);
    const losses = items.total ? explainLosses(snapshot) : "";
    const notes = [form.hint, streams, ...form.notes(), losses].filter(Boolean);
    if (zero !== null) notes.push(`At step ${zero}, ${zeroNoteOf(zero)}`);
    setText(hint, notes.join(" "));
    setText(beyond, describeBeyond(snapshot, items, surface, measure));
  }

  function showTooltip(step: number, lag: number | null, shown: Shown, state: Figure["state"]) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const { columns, snapshot, items } = shown;
    const span = (first: number, last: number) => ({
      left: frame.left + columns.x(Math.max(first, columns.first)),
      right: frame.left + columns.x(Math.min(last + 1, columns.first + columns.count)),
    });
    const loss = step + (lag ?? 0);
    // Beside all that is highlighted if there is room, else beside the part itself.
    const reached = stepsOf(loss, snapshot.steps, items);
    const spans = [span(reached.first, reached.end - 1), span(step, step)];
    const rung = lag === null ? null : form.rung(lag);
    tooltip.show(describePart(step, lag, shown, state, rung), spans, frame.top + TOP + form.height / 2);
  }

  return {
    update(next) {
      figure = next;
      if (!next.shown) return;
      if (form !== forms[next.shown.form]) {
        form.clear();
        form = forms[next.shown.form];
      }
      choice.set(next.shown.form);
      draw(next.shown, next);
      describe(svg, describeGradients(next.shown, next.state));
    },
    extent: (shown) => forms[shown.form].extent(shown),
    explain({ target }) {
      if (!figure?.shown || target?.kind !== "part" || target.panel !== "gradients") return;
      if (figure.shown.columns.has(target.step)) showTooltip(target.step, target.lag, figure.shown, figure.state);
    },
    highlight(next) {
      focus = next;
      if (figure?.shown) form.light(focus);
    },
  };
}
