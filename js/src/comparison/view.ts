/** One displayed comparison: puts the sides together, and draws them in successive animation frames, each at most once. */

import { element, setText } from "../browser/dom";
import { followTheme, type Theme } from "../browser/theme";
import type { Room } from "../figure/arrange";
import type { Extent, Gestures } from "../figure/figure";
import { createTour } from "../help/tour";
import type { Mark } from "../protocol/comparison_contract";
import { asProblem, type Problem } from "../state/store";
import { createPointing } from "../view/pointing";
import { createScheduling, type Piece, type Work } from "../view/scheduling";
import { createCommonFollowing } from "./batch";
import { createControls } from "./controls";
import { lineStyle } from "./line_styles";
import type { ComparisonSession } from "./session";
import { type Composed, createSide } from "./side";
import { comparisonSteps } from "./tour_steps";
import { createTrend } from "./trend";

/** Draws into `parent` until the signal aborts. */
export function createComparisonView(parent: HTMLElement, session: ComparisonSession, signal: AbortSignal) {
  const { commands } = session;
  const root = element("div", { class: "rnnbow comparison" });
  const announcer = element("p", { class: "announcer", attributes: { "aria-live": "polite" } });
  const tour = createTour(root, () => {});
  const controls = createControls(root, session, () => {
    settle();
    tour.start(true);
  });
  const panelArea = element("div", { class: "panels" });
  root.append(panelArea);

  let width = 0;
  let sideWidth = 0;
  let theme: Theme = "light";
  let preview: number | null = null;
  /** The mark whose loss was pinned when it came. */
  let followed: Mark | null = null;
  let failure: Problem | null = null;
  const { schedule, settle } = createScheduling(signal, { draw, failed });
  const pointing = createPointing(schedule);
  const announce = (sentence: string) => setText(announcer, sentence);
  /** What is done in one side is done in all. */
  const gestures: Gestures = {
    preview: () => {},
    ...pointing.gestures,
    settle,
    redraw: () => schedule("all"),
    announce,
  };

  const following = createCommonFollowing();
  const trend = createTrend(panelArea, commands, {
    preview(batch) {
      if (batch === preview) return;
      preview = batch;
      schedule("all");
    },
    settle,
    announce,
  });
  const grid = element("div", { class: "sides", attributes: { "data-count": String(session.sides.length) } });
  panelArea.append(grid);
  const sides = session.sides.map((side, index) =>
    createSide(grid, side, () => session.store.state.sides[index], lineStyle(index), gestures),
  );
  root.append(announcer);

  function draw(work: Work): Piece[] {
    if (width === 0) return [];
    if (work === "all") return drawAll();
    highlight();
    return [];
  }

  function failed(error: unknown) {
    for (const side of sides) side.forget();
    failure = asProblem("The comparison could not be drawn.", error);
    controls.update(failure);
  }

  /** All sides explain before any draws: placing a tooltip measures the page. */
  function highlight() {
    for (const side of sides) side.explain(pointing.focus);
    for (const side of sides) side.highlight();
  }

  /** What all sides show is found at once, so that it is of one batch; they draw it one after the other. */
  function drawAll(): Piece[] {
    failure = null;
    const { state } = session.store;
    if (state.mark && state.mark !== followed) pointing.pinFrom(state.mark.step + state.mark.lag);
    followed = state.mark;
    const states = session.sides.map(({ store }) => store.state);
    const batch = preview ?? state.selected ?? following(states, pointing.focus.target !== null);
    const room: Room = { width: sideWidth, theme, zoomed: pointing.zoomed };
    const composed = sides.map((side) => side.compose(batch, room, state.mark));
    const scales = state.scale === "shared" ? sharedScales(composed) : [];
    const shown = composed.flatMap(({ figure }) => figure.shown ?? []);
    if (shown.length > 0) pointing.fit(shown[0].snapshot.steps);
    // One batch of finished runs has none.
    const course = !states.every(({ info, run }) => !info.live && run.length === 1);
    panelArea.classList.toggle("one-batch", !course);
    trend.update({ comparison: state, sides: states, width, batch });
    controls.update(failure);
    root.toggleAttribute("data-drawing", true);
    return [
      ...sides.flatMap((side, index) => side.draw(composed[index], scales[index] ?? null)),
      () => finish(batch, course),
    ];
  }

  function finish(batch: number | null, course: boolean) {
    highlight();
    const live = session.sides.some(({ store }) => store.state.info.live);
    tour.update(batch === null ? null : () => comparisonSteps({ ...session.store.state, batch, live, course }));
    root.dataset.batch = batch === null ? "" : String(batch);
    root.toggleAttribute("data-drawing", false);
  }

  followTheme(signal, (current) => {
    theme = current;
    root.dataset.theme = theme;
    schedule("all");
  });
  const sizes = new ResizeObserver(() => {
    const now = [Math.floor(grid.clientWidth), Math.floor(sides[0].node.clientWidth)];
    if (now[0] === width && now[1] === sideWidth) return;
    [width, sideWidth] = now;
    schedule("all");
  });
  sizes.observe(grid);
  sizes.observe(sides[0].node);
  const unsubscribe = session.store.subscribe(() => schedule("all"));
  signal.addEventListener("abort", () => {
    for (const side of sides) side.destroy();
    sizes.disconnect();
    unsubscribe();
    root.remove();
  });
  parent.append(root);
}

/** What panel 3 of each side spans, so that all that have the same form have one scale; of what is pending, only its own. */
function sharedScales(composed: Composed[]): (Extent | null)[] {
  return composed.map((side) => {
    const form = side.panels?.form;
    const alike = composed.filter(({ figure }) => figure.shown && figure.shown.form === form);
    const extents = [side, ...alike].flatMap(({ extent }) => (extent ? [extent] : []));
    if (!side.extent) return null;
    return [Math.min(...extents.map(([least]) => least)), Math.max(...extents.map(([, most]) => most))];
  });
}
