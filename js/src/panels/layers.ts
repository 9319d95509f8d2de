/** All layers and directions as one map: rows are tracks, columns the steps of the other panels. A row opens its track. */

import { pointer } from "d3-selection";
import { element, setText } from "../browser/dom";
import type { Tooltip } from "../controls/tooltip";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import { createInputs } from "../figure/inputs";
import { fallsBelow } from "../geometry/decay";
import { type Focus, focusedLoss } from "../geometry/focus";
import { type Bins, binColumns } from "../geometry/heat";
import { createHeatScale, createPixelColors, type HeatScale } from "../geometry/heat_scale";
import { largestSteps, layOutRows, type RowPlace, rowAt, sentTo, type Track, tracksOf } from "../geometry/layer_map";
import { sizeExtent } from "../geometry/log_axis";
import { reveal } from "../geometry/step_window";
import type { Snapshot } from "../protocol/chunks";
import type { Info } from "../protocol/contract";
import type { Commands } from "../session/session";
import { parseSurface } from "../state/surfaces";
import { counted, formatNumber } from "../words/format";
import { averageText, hasLoss, lossText, NO_LOSS } from "../words/outcomes";
import { streamName } from "../words/streams";
import { surfaceName } from "../words/surface_text";
import { sentence, type TooltipContent } from "../words/tooltip_content";
import { createFrame } from "./frame";
import { createHeatLegend } from "./heat_legend";
import { answerKeys, arrowOf, pinByKey } from "./keys";
import { paintRows } from "./pixel_rows";
import { createSvg, makeSteerable, onLeave } from "./plot";
import { makeZoomable, zoomByKey } from "./zoomable";

const TOP = 4;
const MARK = 10;
const HINT =
  "What every layer’s W_hh receives at each step, by the norm; the top layer is uppermost. Click a row to open it in the " +
  "panels below.";
const INVITATION = "Shown: what comes from all losses. Point at a step to see how its loss fans out down the layers.";
const KEYS =
  "Layers. Left and right change the step whose loss is followed, up and down the layer; Enter opens the layer in the panels " +
  "below, space pins the loss, Escape lets go; plus, minus and 0 zoom.";

interface Drawn {
  shown: Shown;
  snapshot: Snapshot;
  tracks: Track[];
  rows: RowPlace[];
  height: number;
  bins: Bins;
  ratio: number;
  /** Of what steps receive from all losses, and of what a single one sent. */
  scales: Record<"all" | "one", HeatScale | null>;
}

export function createLayers(parent: HTMLElement, tooltip: Tooltip, commands: Commands, gestures: Gestures): Panel {
  const { section, hint, nameStream, describe } = createFrame(parent, "layers", null, "Layers", HINT);
  const finding = element("p", { class: "fan" });
  const legends = element("div");
  const stage = element("div", { class: "stage" });
  // Below the map: what stands there must not move it while it is pointed at.
  section.append(finding, stage, legends);
  section.hidden = true;
  const legend = createHeatLegend(legends, element("span"));
  const canvas = element("canvas", { class: "heat-of-layers", attributes: { "aria-hidden": "true" } });
  stage.append(canvas);
  const svg = createSvg(stage, TOP);
  makeSteerable(svg, KEYS);
  const labels = svg.append("g").attr("class", "track-labels");
  const frames = svg.append("g");
  const lossMark = svg.append("path").attr("class", "loss-mark").attr("d", "M0,0l5,7h-10z");
  const cell = svg.append("rect").attr("class", "pointed-cell");
  let figure: Figure | null = null;
  let drawn: Drawn | null = null;
  let focus: Focus = { target: null, pinned: null };
  /** The tracks of a batch, and their colours: worked out once, since they look at every piece. */
  let known: { of: Snapshot; tracks: Track[]; scales: Drawn["scales"] } | null = null;
  const inputs = createInputs();

  function placeAt(event: PointerEvent | MouseEvent): { row: number; step: number } | null {
    if (!drawn) return null;
    const [x, y] = pointer(event, svg.node());
    const [row, step] = [rowAt(drawn.rows, y - TOP), drawn.shown.columns.stepAt(x)];
    return row === null || step === null ? null : { row, step };
  }

  const targetAt = ({ row, step }: { row: number; step: number }) =>
    drawn && ({ kind: "track", step, track: drawn.tracks[row].name } as const);

  function open(row: number) {
    if (!drawn) return;
    const { name } = drawn.tracks[row];
    commands.choose("surface", name);
    if (figure) gestures.announce(`The panels show ${surfaceName(name, figure.state.info)}.`);
  }

  svg
    .on("pointermove pointerdown", (event: PointerEvent) => {
      const place = placeAt(event);
      gestures.point(place && targetAt(place));
    })
    .on("blur", () => gestures.point(null))
    .on("click", (event: MouseEvent) => {
      const row = drawn ? rowAt(drawn.rows, pointer(event, svg.node())[1] - TOP) : null;
      if (row !== null) open(row);
    })
    .on(
      "keydown",
      answerKeys((event) => {
        gestures.settle();
        if (!drawn || !figure) return false;
        return zoomByKey(event, drawn.shown, gestures) || onKey(event.key, drawn, figure);
      }),
    );
  onLeave(svg, () => gestures.point(null));
  makeZoomable(svg, gestures, () => drawn?.shown ?? null);

  /** The row that is pointed at, else the first that the panels show. */
  function currentRow({ tracks, shown }: Drawn): number {
    const { target } = focus;
    const found = tracks.findIndex(({ name }) => target?.kind === "track" && target.track === name);
    return found >= 0
      ? found
      : Math.max(
          0,
          tracks.findIndex((track) => isShown(track, shown.surface)),
        );
  }

  function onKey(key: string, now: Drawn, { state }: Figure): boolean {
    const { tracks, snapshot, shown } = now;
    const loss = focusedLoss(focus);
    if (key === "Enter") {
      open(currentRow(now));
      return true;
    }
    if (pinByKey(key, focus, gestures)) return true;
    const arrow = arrowOf(key);
    if (!arrow) return false;
    const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
    const begun = focus.target?.kind === "track";
    const [steps, up] = begun ? arrow : [0, 0];
    const step = clamp((loss ?? shown.columns.first + shown.columns.count - 1) + steps, snapshot.steps);
    const row = clamp(currentRow(now) - up, tracks.length);
    if (!shown.columns.has(step)) gestures.zoom(reveal(shown.view, snapshot.steps, step));
    gestures.point({ kind: "track", step, track: tracks[row].name });
    gestures.announce(sentence(contentOf(tracks[row], step, snapshot, state)));
    return true;
  }

  function contentOf(track: Track, loss: number, snapshot: Snapshot, state: Figure["state"]): TooltipContent {
    const sent = sentTo(track, loss);
    const most = sent.reduce((best, value, step) => (value > sent[best] ? step : best), 0);
    const { info } = state;
    const shown = streamName(snapshot.stream, info);
    const rows: TooltipContent["rows"] = [
      ...(shown ? [["shown", shown] satisfies TooltipContent["rows"][number]] : []),
      ["loss at step", `${loss}: ${hasLoss(snapshot, loss) ? lossText(snapshot.loss[loss], info) : NO_LOSS}`],
      ["sends there, at its own step", formatNumber(Math.max(0, sent[loss]))],
      ["and most", `${formatNumber(Math.max(0, sent[most]))}, at step ${most}`],
      ["below 1 % of that", describeGone(fallsBelow(loss, snapshot, track.name))],
      [`step ${loss} receives from all losses`, formatNumber(track.bars[loss])],
    ];
    if (snapshot.average) rows.push(["outcome there", averageText(snapshot, loss, info)]);
    return { title: surfaceName(track.name, info), rows };
  }

  function tracksHere(snapshot: Snapshot) {
    if (known?.of !== snapshot) {
      const tracks = tracksOf(snapshot);
      const all = scaleOf(tracks.map(({ bars }) => bars));
      const one = scaleOf(tracks.map(({ items }) => items.pieces));
      known = { of: snapshot, tracks, scales: { all, one } };
    }
    return known;
  }

  function draw(shown: Shown, snapshot: Snapshot, { state, width }: Figure) {
    const { tracks, scales } = tracksHere(snapshot);
    const { rows, height } = layOutRows(tracks);
    const ratio = Math.max(1, window.devicePixelRatio);
    drawn = {
      shown,
      snapshot,
      tracks,
      rows,
      height,
      ratio,
      scales,
      bins: binColumns(shown.columns, ratio),
    };
    svg.attr("width", width).attr("height", TOP + height + MARK);
    const { left, right } = shown.columns;
    canvas.style.cssText = `left:${left}px;top:${TOP}px;width:${right - left}px;height:${height}px`;
    drawRows(drawn, state.info);
    nameStream(streamName(snapshot.stream, state.info));
    describe(
      svg,
      tracks
        .map((track) => `${surfaceName(track.name, state.info)}: at most ${formatNumber(Math.max(...track.bars))}.`)
        .join(" "),
    );
    inputs.forget();
    light();
  }

  function drawRows({ tracks, rows, shown }: Drawn, info: Info) {
    const { left, right } = shown.columns;
    labels
      .selectAll<SVGTextElement, Track>("text")
      .data(tracks)
      .join("text")
      .attr("x", left - 8)
      .attr("y", (_, row) => TOP + rows[row].y + rows[row].height / 2)
      .attr("class", (track) => (isShown(track, shown.surface) ? "shown" : null))
      .attr("data-track", ({ name }) => name)
      .text((track) => labelOf(track, info));
    const marked = tracks.flatMap((track, row) => (isShown(track, shown.surface) ? [row] : []));
    frames
      .selectAll<SVGRectElement, number>("rect")
      .data(marked)
      .join("rect")
      .attr("class", "shown-track")
      .attr("x", left - 1)
      .attr("width", right - left + 2)
      .attr("y", (row) => TOP + rows[row].y)
      .attr("height", (row) => rows[row].height - 1);
  }

  /** Rows count downwards, from the losses to the input. */
  function paint({ tracks, rows, height, bins, ratio, shown }: Drawn, loss: number | null, scale: HeatScale | null) {
    const color = createPixelColors(scale, shown.theme, false);
    const seen = { zero: true, notFinite: false };
    const stretches = rows.map(({ y, height: tall }) => ({
      from: Math.round(y * ratio),
      to: Math.round((y + tall - 1) * ratio),
    }));
    paintRows(canvas, bins.edges[bins.count], Math.round(height * ratio), stretches, (row, line) => {
      const values = loss === null ? tracks[row].bars : sentTo(tracks[row], loss);
      largestSteps(values, shown.columns.first, bins).forEach((step, bin) => {
        if (step < 0) return;
        if (!Number.isFinite(values[step])) seen.notFinite = true;
        line.fill(color(values[step]), bins.edges[bin], bins.edges[bin + 1]);
      });
    });
    return seen;
  }

  function light() {
    if (!drawn) return;
    const { shown, snapshot, scales, rows, tracks, height } = drawn;
    const loss = focusedLoss(focus);
    if (inputs.changed(drawn, loss)) {
      const scale = scales[loss === null ? "all" : "one"];
      const seen = paint(drawn, loss, scale);
      legend.update({ scale, theme: shown.theme, signed: false, name: "norm", ...seen });
      setText(finding, loss === null ? INVITATION : describeFan(loss, drawn));
    }
    const { columns } = shown;
    lossMark.classed("hidden", loss === null || !columns.has(loss));
    if (loss !== null) lossMark.attr("transform", `translate(${columns.center(loss)},${TOP + height + 2})`);
    const { target } = focus;
    const row = tracks.findIndex(({ name }) => target?.kind === "track" && target.track === name);
    cell.classed("hidden", row < 0 || target === null || !columns.has(target.step) || snapshot.steps <= target.step);
    if (row < 0 || !target) return;
    cell
      .attr("x", columns.x(target.step) - 1)
      .attr("width", Math.max(1, columns.x(target.step + 1) - columns.x(target.step)) + 2)
      .attr("y", TOP + rows[row].y - 1)
      .attr("height", rows[row].height + 1);
  }

  function showTooltip(track: Track, step: number, { shown, snapshot, rows, tracks }: Drawn, state: Figure["state"]) {
    const frame = svg.node()?.getBoundingClientRect();
    if (!frame) return;
    const span = { left: frame.left + shown.columns.x(step), right: frame.left + shown.columns.x(step + 1) };
    const { y, height } = rows[tracks.indexOf(track)];
    tooltip.show(contentOf(track, step, snapshot, state), [span], frame.top + TOP + y + height / 2);
  }

  return {
    update(next) {
      figure = next;
      const { shown, state } = next;
      const { info } = state;
      section.hidden = info.num_layers === 1 && !info.bidirectional;
      if (!shown || section.hidden) return;
      const { recorded } = shown;
      for (const part of [finding, legends, stage]) part.hidden = recorded === null;
      setText(hint, recorded ? HINT : "What was recorded of all layers of this batch is not here.");
      drawn = null;
      if (recorded) draw(shown, recorded, next);
    },
    explain({ target }) {
      if (!drawn || !figure || target?.kind !== "track" || !drawn.shown.columns.has(target.step)) return;
      const track = drawn.tracks.find(({ name }) => name === target.track);
      if (track) showTooltip(track, target.step, drawn, figure.state);
    },
    highlight(next) {
      focus = next;
      light();
    },
  };
}

/** One scale for all tracks, so that colours compare down the layers. */
function scaleOf(values: Float32Array[]): HeatScale | null {
  const extent = sizeExtent(values.flatMap((some) => sizeExtent(some) ?? []));
  return extent && createHeatScale(extent);
}

/** "3 steps back, 5 ahead". */
function describeGone(lags: number[]): string {
  const way = (lag: number) => `${counted(Math.abs(lag), "step")} ${lag > 0 ? "back" : "ahead"}`;
  return lags.length > 0 ? lags.map(way).join(", ") : "nowhere that was recorded";
}

/** Whether the panels show a track, alone or with its layer's other one. */
function isShown({ layer, direction }: Track, surface: string): boolean {
  const shown = parseSurface(surface);
  return shown.layer === layer && (shown.direction === direction || shown.direction === "both");
}

function labelOf({ layer, direction }: Track, { bidirectional }: Info): string {
  return `layer ${layer + 1}${bidirectional ? (direction === "reverse" ? " ◂" : " ▸") : ""}`;
}

/** How much of a loss is left at the bottom. */
function describeFan(loss: number, { tracks }: Drawn): string {
  const largest = (layer: number) =>
    Math.max(0, ...tracks.filter((track) => track.layer === layer).map((track) => Math.max(...sentTo(track, loss))));
  const top = tracks[0].layer;
  if (top === 0) return `The loss at step ${loss}, in both directions.`;
  const [above, below] = [largest(top), largest(0)];
  if (!(above > 0) || !Number.isFinite(above) || !Number.isFinite(below)) return `The loss at step ${loss}.`;
  const factor = formatNumber(below / above, 2);
  return `The loss at step ${loss}: its largest piece in layer 1 is ${factor} times that in layer ${top + 1}.`;
}
