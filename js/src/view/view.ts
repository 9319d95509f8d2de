/** One displayed figure: puts the panels together, and draws them at most once per animation frame. */

import { element, setText } from "../browser/dom";
import { followTheme, type Theme } from "../browser/theme";
import { createFindings } from "../controls/findings";
import { createStatus } from "../controls/status";
import { createToolbar } from "../controls/toolbar";
import { createTooltip } from "../controls/tooltip";
import type { Room } from "../figure/arrange";
import { createArranging } from "../figure/arranging";
import type { Figure, Gestures, Panel, Shown } from "../figure/figure";
import type { Focus } from "../geometry/focus";
import { shadesOf } from "../geometry/ladder";
import { setLagColors } from "../geometry/lag_colors";
import { createOffer } from "../help/offer";
import { createTour } from "../help/tour";
import { tourSteps } from "../help/tour_steps";
import { createBatchArea } from "../panels/batch_area";
import { createCell } from "../panels/cell";
import { createGradients } from "../panels/gradients";
import { createHorizon } from "../panels/horizon";
import { createHorizonChoice } from "../panels/horizon_choice";
import { createLayers } from "../panels/layers";
import { createOverview } from "../panels/overview";
import { createPredictions } from "../panels/predictions";
import { createSamples } from "../panels/samples";
import { createStepStrip } from "../panels/step_strip";
import { createUnits } from "../panels/units";
import type { Snapshot } from "../protocol/chunks";
import type { Session } from "../session/session";
import type { Place } from "../state/details";
import { asProblem, follows, type Problem, type State } from "../state/store";
import { findCompanion, findSurface } from "../state/surfaces";
import { createFollowing } from "./following";
import { createPointing } from "./pointing";
import { createScheduling, type Piece, type Work } from "./scheduling";

/** Draws into `parent` until the signal aborts. */
export function createView(parent: HTMLElement, session: Session, signal: AbortSignal) {
  const { store, commands } = session;
  const root = element("div", { class: "rnnbow" });
  const announcer = element("p", { class: "announcer", attributes: { "aria-live": "polite" } });
  const invitation = element("p", { class: "invitation" });
  const panelArea = element("div", { class: "panels" });
  const tour = createTour(root, () => commands.endTour());
  const toolbar = createToolbar(root, store, commands, () => startTour());
  const status = createStatus(root);
  const findings = createFindings(root);
  const offer = createOffer(root, () => startTour());
  root.append(invitation, panelArea);

  let width = 0;
  let theme: Theme = "light";
  let colors = 0;
  const arranging = createArranging();
  /** What panels 2, 3 and 4 show now. */
  let drawn: Shown | null = null;
  let preview: number | null = null;
  /** What is highlighted in panels 2, 3 and 4, and of what. */
  let lit: { focus: Focus; drawn: Shown | null } | null = null;
  /** The kernel works out a part that a panel wants. */
  let waiting = false;
  /** What the kernel asked for when it was drawn last. */
  let touring = false;
  let failure: Problem | null = null;
  const { schedule, settle } = createScheduling(signal, { draw, failed });
  const pointing = createPointing(schedule);

  const gestures: Gestures = {
    preview(index) {
      if (index === preview) return;
      preview = index;
      schedule("all");
    },
    ...pointing.gestures,
    settle,
    redraw: () => schedule("all"),
    announce: (sentence) => setText(announcer, sentence),
  };

  const newest = createFollowing();
  const tooltip = createTooltip(root);
  const overview = createOverview(panelArea, commands, gestures);
  const batchArea = createBatchArea(panelArea, commands);
  const batchPanels: Panel[] = [
    createPredictions(batchArea.node, tooltip, gestures),
    createStepStrip(batchArea.node, gestures),
    createLayers(batchArea.node, tooltip, commands, gestures),
    createGradients(batchArea.node, tooltip, commands, gestures),
    createHorizon(batchArea.node, tooltip, gestures),
  ];
  /** They are opened by their titles. */
  const foldouts: Panel[] = [
    createHorizonChoice(panelArea, commands, gestures),
    createCell(panelArea, tooltip, gestures),
    createUnits(panelArea, commands, gestures),
  ];
  const samples = createSamples(root);
  root.append(announcer);

  function startTour(asked = true) {
    offer.dismiss();
    settle();
    tour.start(asked);
    if (!asked) gestures.announce("A tour through the panels has begun.");
  }

  function draw(work: Work): Piece[] {
    if (width === 0) return [];
    if (work === "all") return drawAll(store.state);
    highlight();
    return [];
  }

  function failed(error: unknown) {
    drawn = null;
    arranging.forget();
    failure = asProblem("The figure could not be drawn.", error);
    status.update(store.state, failure);
  }

  function drawAll(state: State): Piece[] {
    failure = null;
    toolbar.update(state);
    status.update(state, failure);
    const figure = composeFigure(state);
    const empty = figure.selected < 0;
    panelArea.hidden = empty;
    invitation.hidden = !empty;
    setText(invitation, inviting(state));
    if (!empty) overview.update(figure);
    batchArea.update(figure.pending, state);
    if (figure.pending) pointing.leave();
    if (empty) arranging.forget();
    // While details are awaited, what was drawn before keeps its place.
    const shown = empty ? null : (figure.shown ?? arranging.refit(state, room()));
    const rungs = shown ? shadesOf(shown.items) : colors;
    if (rungs !== colors) {
      colors = rungs;
      setLagColors(root, colors, theme);
    }
    const anew = shown !== null && shown !== drawn;
    drawn = shown;
    const panels = anew ? batchPanels.map((panel) => () => panel.update({ ...figure, shown })) : [];
    root.toggleAttribute("data-drawing", true);
    return [...panels, () => finish(figure)];
  }

  /** Draws what follows from what panels 2, 3 and 4 have drawn. */
  function finish(figure: Figure) {
    const { state, selected } = figure;
    const empty = selected < 0;
    for (const panel of foldouts) panel.update(figure);
    samples.update(figure);
    findings.update(figure);
    offer.update(!empty && !tour.open);
    tour.update(empty ? null : () => tourSteps(figure));
    // The kernel asks for it, and not only this page.
    if (state.touring && !tour.open && !empty && figure.shown) startTour(false);
    else if (!state.touring && touring) tour.close();
    touring = state.touring;
    highlight();
    root.dataset.batch = figure.shown ? String(figure.shown.snapshot.batch) : "";
    root.dataset.surface = figure.shown?.surface ?? "";
    root.dataset.stream = figure.shown ? String(figure.shown.snapshot.stream ?? "") : "";
    root.dataset.recorded = String(state.run.length);
    root.toggleAttribute("data-drawing", false);
  }

  function composeFigure(state: State): Figure {
    const { run } = state;
    // A part that the kernel works out is waited for, so that all panels show one batch.
    const stays = pointing.focus.target !== null || waiting;
    const selected = state.selected === null ? newest(state, stays) : run.nearest(state.selected);
    if (preview !== null && preview >= run.length) preview = null;
    const index = preview ?? selected;
    const why = session.missing;
    if (index < 0) return { state, width, batch: null, why, selected, preview, shown: null, pending: null };
    const batch = run.batches()[index];
    const { snapshot, missing } = findSurface(batch, state);
    const beside = findCompanion(batch, state);
    const parts = foldouts.map((panel) => panel.wants?.(batch, state) ?? null).filter((place) => place !== null);
    const missingParts = parts.filter((place) => !run.details.has(place));
    const others = [beside?.missing ?? null, ...missingParts, missingTracks(batch, state)];
    session.want(
      parent,
      [missing, ...others].filter((place) => place !== null),
    );
    waiting = missingParts.some((place) => why(place).why === "waiting");
    const shown = snapshot && composeShown(snapshot, beside?.snapshot ?? null, state);
    const pending = missing && { ...missing, ...session.missing(missing) };
    return { state, width, batch, why, selected, preview, shown, pending };
  }

  const room = (): Room => ({ width, theme, zoomed: pointing.zoomed });

  function composeShown(held: Snapshot, beside: Snapshot | null, state: State): Shown {
    const { batch, stream, part } = held;
    const recorded = part === null ? held : state.run.details.get({ batch, stream, part: null });
    const shown = arranging.arrange({ snapshot: held, recorded, beside }, state, room());
    pointing.fit(shown.snapshot.steps);
    return shown;
  }

  function highlight() {
    const { focus } = pointing;
    if (!focus.target) tooltip.hide();
    const same = focus === lit?.focus && drawn === lit.drawn;
    lit = { focus, drawn };
    const panels = same ? foldouts : [...batchPanels, ...foldouts];
    for (const panel of panels) panel.explain?.(focus);
    for (const panel of panels) panel.highlight?.(focus);
  }

  followTheme(signal, (current) => {
    theme = current;
    root.dataset.theme = theme;
    setLagColors(root, colors, theme);
    schedule("all");
  });
  const sizes = new ResizeObserver(([entry]) => {
    if (Math.floor(entry.contentRect.width) === width) return;
    width = Math.floor(entry.contentRect.width);
    schedule("all");
  });
  sizes.observe(root);
  const unsubscribe = store.subscribe(() => schedule("all"));
  signal.addEventListener("abort", () => {
    session.want(parent, []);
    sizes.disconnect();
    unsubscribe();
    root.remove();
  });
  parent.append(root);
}

/** Where every track of a batch is, if the network has several and it is not here. */
function missingTracks(batch: number, { run, stream, info }: State): Place | null {
  const place = { batch, stream, part: null };
  const several = info.num_layers > 1 || info.bidirectional;
  return several && !run.details.has(place) ? place : null;
}

function inviting({ info, settings, status }: State): string {
  if (follows(status)) return "Nothing is recorded yet: the first batch appears here when it is in the file.";
  if (!info.live) return "This run holds no recorded batches.";
  const every = settings.record_every ?? 1;
  const which = every === 1 ? "every batch" : `one batch in ${every}`;
  return `Press Play: the network starts to learn, and ${which} appears here with the gradient of each of its steps.`;
}
