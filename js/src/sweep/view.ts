/** One displayed sweep: its table, and beneath it the panels of the trials that are open. */

import { element, setText } from "../browser/dom";
import { followTheme } from "../browser/theme";
import { createIconButton } from "../controls/button";
import { createCodeLine } from "../controls/code_line";
import { createTrouble } from "../controls/trouble";
import { createHowTo } from "../help/how_to_read";
import { asProblem } from "../state/store";
import { createScheduling, type Piece } from "../view/scheduling";
import { summaryOf } from "./rows";
import { MOST, type Panels, type SweepSession } from "./session";
import { createTrialTable } from "./table";

/** Draws into `parent` until the signal aborts. */
export function createSweepView(parent: HTMLElement, session: SweepSession, signal: AbortSignal) {
  const { commands } = session;
  const root = element("div", { class: "rnnbow sweep" });
  const summary = element("p", { class: "summary", attributes: { role: "status" } });
  const compare = createIconButton("compare", "compare", "Compare", "Show the chosen trials side by side", () =>
    commands.show([...session.store.state.chosen].sort((a, b) => a - b)),
  );
  const close = createIconButton("close", "close", "Close panels", "Show the table only", () => commands.show([]));
  const cancel = createIconButton("cancel", "stop", "Cancel", "End the trials that train, and begin no others", () =>
    commands.cancel(),
  );
  const code = createCodeLine(commands.askCode);
  const how = createHowTo(root, "trials", "Trials");
  const all = [compare.button, close.button, cancel.button, code.button];
  const buttons = element("div", { class: "buttons" }, ...all);
  const hint = element("p", { class: "hint" });
  const trouble = createTrouble("Trials that were begun go on without it.");
  const table = createTrialTable(commands);
  root.append(
    element(
      "div",
      { class: "toolbar", attributes: { role: "group", "aria-label": "Sweep" } },
      summary,
      how.button,
      buttons,
    ),
    how.note,
    code.node,
    hint,
    ...trouble.nodes,
    table.node,
  );
  const place = element("div", { class: "rnnbow-host" });
  parent.append(root, place);
  let shown: { panels: Panels; end: () => void } | null = null;
  const { schedule } = createScheduling(signal, { draw, failed });

  function failed(error: unknown) {
    trouble.update(session.store.state.silent, asProblem("The table could not be drawn.", error));
  }

  function draw(): Piece[] {
    const { state } = session.store;
    table.update(state);
    code.update(state.code, false);
    setText(summary, summaryOf(state.table.rows));
    const count = state.chosen.length;
    compare.button.disabled = count < 2 || count > MOST;
    close.button.hidden = state.panels === null;
    cancel.button.hidden = state.table.finished;
    setText(
      hint,
      `A trial's number shows it in the panels; two to ${MOST} that are chosen can be compared${count > 0 ? ` (${count} chosen)` : ""}.`,
    );
    trouble.update(state.silent, state.problem);
    root.dataset.finished = String(state.table.finished);
    drawPanels(state.panels);
    return [];
  }

  function drawPanels(panels: Panels | null) {
    if (panels === (shown?.panels ?? null)) return;
    shown?.end();
    shown = null;
    if (!panels) return;
    const controller = new AbortController();
    panels.showing.draw(place, controller.signal);
    const leave = panels.showing.join();
    shown = {
      panels,
      end() {
        leave();
        controller.abort();
      },
    };
  }

  followTheme(signal, (theme) => {
    root.dataset.theme = theme;
  });
  const unsubscribe = session.store.subscribe(() => schedule("all"));
  signal.addEventListener("abort", () => {
    unsubscribe();
    shown?.end();
    root.remove();
    place.remove();
  });
  schedule("all");
}
