/** One side of a comparison: its header, and panels 2, 3 and 4 of the batch that all sides show. */

import { element, setText } from "../browser/dom";
import { createTooltip } from "../controls/tooltip";
import type { Room } from "../figure/arrange";
import { createArranging } from "../figure/arranging";
import type { Extent, Figure, Gestures, Panel, Shown } from "../figure/figure";
import type { Focus } from "../geometry/focus";
import { shadesOf } from "../geometry/ladder";
import { setLagColors } from "../geometry/lag_colors";
import { createBatchArea } from "../panels/batch_area";
import { createGradients } from "../panels/gradients";
import { createHorizon } from "../panels/horizon";
import { createPredictions } from "../panels/predictions";
import { createStepStrip } from "../panels/step_strip";
import type { Mark, SideDescription } from "../protocol/comparison_contract";
import { hasLag, lagsOf } from "../protocol/lags";
import type { Session } from "../session/session";
import { follows, type State } from "../state/store";
import { findSurface } from "../state/surfaces";
import type { Piece } from "../view/scheduling";
import { formatCount, formatLoss } from "../words/format";
import { QUANTITY_TEXT, seriesOf } from "../words/quantities";
import { type LineStyle, lineSample } from "./line_styles";

export interface SideView {
  node: HTMLElement;
  /** Finds what is to be drawn of a batch, or of the nearest that is recorded. */
  compose(batch: number | null, room: Room, mark: Mark | null): Composed;
  /** Gives what is to be drawn of it. `scale`: what panel 3 spans, if it is shared. */
  draw(composed: Composed, scale: Extent | null): Piece[];
  /** Shows the tooltip of what is pointed at; in all sides before any is highlighted. */
  explain(focus: Focus): void;
  /** Highlights what was explained. */
  highlight(): void;
  /** What was drawn is not whole: next time it is drawn again. */
  forget(): void;
  destroy(): void;
}

export interface Composed {
  figure: Figure;
  /** What panels 2, 3 and 4 are to draw: that of the figure, or while it is pending what they show, in the room of now. */
  panels: Shown | null;
  /** What panel 3 needs to span; null if it is not drawn. */
  extent: Extent | null;
}

/** What is highlighted already is not highlighted again. */
interface Lit {
  focus: Focus;
  drawn: Shown | null;
  /** The focus, as far as this side has what it is on. */
  here: Focus;
}

export function createSide(
  parent: HTMLElement,
  session: Session,
  describe: () => SideDescription,
  style: LineStyle,
  gestures: Gestures,
): SideView {
  const { store, commands } = session;
  const facts = element("p", { class: "side-facts" });
  const trouble = element("p", { class: "side-trouble", attributes: { role: "status" } });
  const { name } = describe();
  const title = element("h3", { class: "side-name" }, lineSample(style), element("span", { text: name }));
  const head = element("header", { class: "side-head" }, title, facts, trouble);
  const invitation = element("p", { class: "invitation", text: "Nothing is recorded yet." });
  const node = element(
    "section",
    { class: "side", attributes: { "aria-label": name, "data-side": name } },
    head,
    invitation,
  );
  parent.append(node);
  const batchArea = createBatchArea(node, commands);
  const tooltip = createTooltip(node);
  const panels: Panel[] = [
    createPredictions(batchArea.node, tooltip, gestures),
    createStepStrip(batchArea.node, gestures),
    createGradients(batchArea.node, tooltip, commands, gestures),
    createHorizon(batchArea.node, tooltip, gestures),
  ];
  const arranging = createArranging();
  let drawn: Shown | null = null;
  let spanned = "";
  let colors = "";
  let lit: Lit | null = null;
  let highlighted: Lit | null = null;

  function compose(batch: number | null, room: Room, mark: Mark | null): Composed {
    const { state } = store;
    const { run } = state;
    const selected = batch === null ? -1 : run.nearest(batch);
    const base = { state, width: room.width, why: session.missing, selected, preview: null };
    if (selected < 0) {
      session.want(node, []);
      arranging.forget();
      return { figure: { ...base, batch: null, shown: null, pending: null }, panels: null, extent: null };
    }
    const here = run.batches()[selected];
    const { snapshot, missing } = findSurface(here, state);
    session.want(node, missing ? [missing] : []);
    const shown = snapshot && arranging.arrange({ snapshot, recorded: null, beside: null }, state, room);
    const panels = shown ?? arranging.refit(state, room);
    const pending = missing && { ...missing, ...session.missing(missing) };
    const marked = mark?.batch === here ? mark : null;
    const figure = { ...base, batch: here, mark: marked, shown, pending };
    return { figure, panels, extent: panels && extentOf(panels) };
  }

  const extentOf = (shown: Shown) => panels.map((panel) => panel.extent?.(shown)).find(Boolean) ?? null;

  function draw({ figure, panels: next }: Composed, scale: Extent | null): Piece[] {
    const key = `${scale} ${figure.mark?.step} ${figure.mark?.lag}`;
    if (!next || (next === drawn && key === spanned)) return [() => drawFrame(figure), () => sayShown(figure)];
    return [
      () => {
        drawFrame(figure);
        drawColors(next);
        [drawn, spanned] = [next, key];
      },
      ...panels.map((panel) => () => panel.update({ ...figure, shown: { ...next, extent: scale } })),
      () => sayShown(figure),
    ];
  }

  /** What stands around the panels. */
  function drawFrame({ state, selected, pending }: Figure) {
    drawHead(state, selected);
    invitation.hidden = selected >= 0;
    batchArea.node.hidden = selected < 0;
    batchArea.update(pending, state);
  }

  function sayShown({ shown, state }: Figure) {
    node.dataset.batch = shown ? String(shown.snapshot.batch) : "";
    node.dataset.recorded = String(state.run.length);
  }

  function drawColors(shown: Shown) {
    const rungs = shadesOf(shown.items);
    const key = `${rungs} ${shown.theme}`;
    if (key === colors) return;
    colors = key;
    setLagColors(node, rungs, shown.theme);
  }

  function drawHead(state: State, index: number) {
    const { run, status } = state;
    const { settings, weights } = describe();
    const parts = [settings, weights !== null && `${formatCount(weights)} weights`];
    if (index >= 0) {
      const value = (name: "loss" | "horizon_length") => seriesOf(name, state).values()[index];
      parts.push(
        `batch ${formatCount(run.batches()[index])}`,
        `loss ${formatLoss(value("loss"))}`,
        `horizon ${QUANTITY_TEXT.horizon_length.format(value("horizon_length"))}`,
      );
    }
    const ails = (status.diagnoses ?? []).filter(({ kind }) => kind !== "reach").map(({ name }) => name);
    if (ails.length > 0) parts.push(`diagnosis: ${ails.join(", ")}`);
    if (follows(status)) parts.push(status.file?.said ?? "");
    setText(facts, parts.filter(Boolean).join(" · "));
    const stays = status.state === "diverged" || status.state === "error";
    trouble.hidden = !stays;
    const why = [status.message || "Training stopped.", status.hint].filter(Boolean).join(" ");
    setText(trouble, stays ? `Stays at batch ${formatCount(status.batch)}. ${why}` : "");
  }

  function explain(focus: Focus) {
    if (lit && focus === lit.focus && drawn === lit.drawn) return;
    lit = { focus, drawn, here: drawn ? focusHere(focus, drawn) : focus };
    if (!lit.here.target) tooltip.hide();
    for (const panel of panels) panel.explain?.(lit.here);
  }

  function highlight() {
    if (!lit || lit === highlighted) return;
    highlighted = lit;
    for (const panel of panels) panel.highlight?.(lit.here);
  }

  return {
    node,
    compose,
    draw,
    explain,
    highlight,
    forget() {
      drawn = null;
    },
    destroy() {
      session.want(node, []);
      node.remove();
    },
  };
}

/** What is pointed at in another side, where this one has it: a piece that it did not record leaves its loss. */
export function focusHere({ target, pinned }: Focus, { snapshot, items }: Pick<Shown, "snapshot" | "items">): Focus {
  const { steps } = snapshot;
  const kept = pinned !== null && pinned < steps ? pinned : null;
  if (!target || target.step >= steps) return { target: null, pinned: kept };
  if (target.kind !== "part" || target.lag === null || hasLag(target.lag, lagsOf(target.step, steps, items))) {
    return { target, pinned: kept };
  }
  const step = target.step + target.lag;
  return { target: step >= 0 && step < steps ? { kind: "loss", step } : null, pinned: kept };
}
