/** One side of a comparison: its header, and panels 2, 3 and 4 of the batch that all sides show. */

import { arrange, type Room } from "../arrange";
import type { Mark, SideDescription } from "../contract";
import { element, setText } from "../dom";
import type { Extent, Figure, Focus, Gestures, Panel, Shown } from "../figure";
import { formatCount, formatLoss } from "../format";
import { shadesOf } from "../ladder";
import { setLagColors } from "../lag_colors";
import { hasLag, lagsOf } from "../lags";
import { createContext } from "../panels/context";
import { createGradients } from "../panels/gradients";
import { createHorizon } from "../panels/horizon";
import { createPendingNote } from "../panels/pending_note";
import { createPredictions } from "../panels/predictions";
import type { Snapshot } from "../protocol";
import { QUANTITY_TEXT, seriesOf } from "../quantities";
import { follows, type Session } from "../session";
import type { State } from "../store";
import { findSurface } from "../surfaces";
import { createTooltip } from "../tooltip";
import { type LineStyle, lineSample } from "./line_styles";

export interface SideView {
  node: HTMLElement;
  /** Finds what is to be drawn of a batch, or of the nearest that is recorded. */
  compose(batch: number | null, room: Room, mark: Mark | null): Composed;
  /** `scale`: what panel 3 spans, if it is shared. */
  draw(composed: Composed, scale: Extent | null): void;
  /** Shows the tooltip of what is pointed at; in all sides before any is highlighted. */
  explain(focus: Focus): void;
  highlight(focus: Focus): void;
  destroy(): void;
}

export interface Composed {
  figure: Figure;
  /** What panel 3 needs to span; null if it is not drawn. */
  extent: Extent | null;
}

/** What is drawn already is not drawn again. */
interface Drawn {
  inputs: unknown[];
  shown: Shown;
}

export function createSide(
  parent: HTMLElement,
  session: Session,
  description: SideDescription,
  style: LineStyle,
  gestures: Gestures,
): SideView {
  const { store, commands } = session;
  const facts = element("p", { class: "side-facts" });
  const trouble = element("p", { class: "side-trouble", attributes: { role: "status" } });
  const title = element("h3", { class: "side-name" }, lineSample(style), element("span", { text: description.name }));
  const head = element("header", { class: "side-head" }, title, facts, trouble);
  const invitation = element("p", { class: "invitation", text: "Nothing is recorded yet." });
  const node = element(
    "section",
    { class: "side", attributes: { "aria-label": description.name, "data-side": description.name } },
    head,
    invitation,
  );
  parent.append(node);
  const pendingNote = createPendingNote(node, commands);
  const batchArea = element("div", { class: "of-batch" });
  node.append(batchArea);
  const tooltip = createTooltip(node);
  const panels: Panel[] = [
    createPredictions(batchArea, tooltip, gestures),
    createContext(batchArea, gestures),
    createGradients(batchArea, tooltip, commands, gestures),
    createHorizon(batchArea, tooltip, gestures),
  ];
  let made: Drawn | null = null;
  let drawn: Shown | null = null;
  let spanned = "";
  let colors = "";

  /** Gives what was made before if nothing that it is made from has changed. */
  function shownOf(held: Snapshot, state: State, room: Room): Shown {
    const { batch, stream, part } = held;
    const { width, theme, zoomed } = room;
    const source = [state.run.details, batch, stream, part];
    const inputs = [...source, state.surface, state.measure, state.form, state.labels, width, theme, zoomed];
    if (made?.inputs.every((input, place) => input === inputs[place])) return made.shown;
    // A batch that is held anew is the same batch.
    const same = made && source.every((input, place) => input === made?.inputs[place]);
    made = {
      inputs,
      shown: arrange(
        {
          snapshot: same && made ? made.shown.snapshot : held,
          recorded: null,
          surface: state.surface,
          companion: null,
        },
        state,
        room,
      ),
    };
    return made.shown;
  }

  function compose(batch: number | null, room: Room, mark: Mark | null): Composed {
    const { state } = store;
    const { run } = state;
    const selected = batch === null ? -1 : run.nearest(batch);
    const base = { state, width: room.width, why: session.missing, selected, preview: null };
    if (selected < 0) {
      session.want(node, []);
      return { figure: { ...base, batch: null, shown: null, pending: null }, extent: null };
    }
    const here = run.batches()[selected];
    const { snapshot, missing } = findSurface(here, state);
    session.want(node, missing ? [missing] : []);
    const shown = snapshot && shownOf(snapshot, state, room);
    const pending = missing && { ...missing, ...session.missing(missing) };
    const marked = mark?.batch === here ? mark : null;
    return { figure: { ...base, batch: here, mark: marked, shown, pending }, extent: shown && extentOf(shown) };
  }

  const extentOf = (shown: Shown) => panels.map((panel) => panel.extent?.(shown)).find(Boolean) ?? null;

  function draw({ figure }: Composed, scale: Extent | null) {
    const { state, selected, shown, pending } = figure;
    drawHead(state, selected);
    invitation.hidden = selected >= 0;
    batchArea.hidden = selected < 0;
    pendingNote.update(pending, state);
    batchArea.classList.toggle("pending", pending !== null);
    batchArea.setAttribute("aria-busy", String(pending !== null));
    batchArea.inert = pending !== null;
    node.dataset.batch = shown ? String(shown.snapshot.batch) : "";
    node.dataset.recorded = String(state.run.length);
    const { mark } = figure;
    const key = `${scale} ${mark?.step} ${mark?.lag}`;
    if (shown && (shown !== drawn || key !== spanned)) {
      drawColors(shown);
      for (const panel of panels) panel.update({ ...figure, shown: { ...shown, extent: scale } });
      [drawn, spanned] = [shown, key];
    }
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
    const parts = [description.settings, description.weights !== null && `${formatCount(description.weights)} weights`];
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

  const here = (focus: Focus) => (drawn ? focusHere(focus, drawn) : focus);

  function explain(focus: Focus) {
    const own = here(focus);
    if (!own.target) tooltip.hide();
    for (const panel of panels) panel.explain?.(own);
  }

  function highlight(focus: Focus) {
    const own = here(focus);
    for (const panel of panels) panel.highlight?.(own);
  }

  return {
    node,
    compose,
    draw,
    explain,
    highlight,
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
