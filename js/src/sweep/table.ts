/** The table of a sweep: a row for each trial, sorted by what its head is asked for. */

import { element, OWN_KEYS, setText, svgElement } from "../browser/dom";
import { createInputs } from "../figure/inputs";
import type { TrialRow } from "../protocol/sweep_contract";
import { formatCount, formatTick } from "../words/format";
import { COLUMNS, horizonText, longestHorizon, lossText, sortedRows, trendPath, trendText, valueText } from "./rows";
import { MOST, type SweepCommands, type SweepState } from "./session";

const WIDTH = 110;
const HEIGHT = 26;
const MARGIN = 2;

const HEADS: Record<(typeof COLUMNS)[number], { text: string; title: string }> = {
  status: { text: "Status", title: "How far the trial is" },
  batch: { text: "Batches", title: "Batches that are known to be trained" },
  loss: { text: "Loss", title: "Median loss per step of the newest 11 recorded batches" },
  horizon: { text: "Horizon", title: "Median horizon length of the newest 11 recorded batches, in steps" },
};

export interface TrialTable {
  node: HTMLElement;
  update(state: SweepState): void;
}

export function createTrialTable(commands: SweepCommands): TrialTable {
  const head = element("thead", { attributes: { role: "rowgroup" } });
  const body = element("tbody", { attributes: { role: "rowgroup" } });
  const table = element(
    "table",
    { class: "trials", attributes: { role: "table", "aria-label": "Trials" } },
    head,
    body,
  );
  const node = element("div", { class: "trial-area" }, table);
  const rows = new Map<number, ReturnType<typeof createRow>>();
  let heads: ReturnType<typeof createHead>[] = [];
  const trendHead = element("th", { class: "trend-head", attributes: { role: "columnheader" } });
  let drawnColumns: readonly string[] | null = null;

  function layOut(columns: readonly string[]) {
    const words = columns.map((name) => ({ key: name, text: inWords(name), title: `Setting ${name}` }));
    const others = COLUMNS.map((key) => ({ key, ...HEADS[key] }));
    const number = { key: "", text: "Trial", title: "Place in the grid, as in Python: sweep.trials[…]" };
    heads = [number, ...words, ...others].map((column) => createHead(column, commands));
    const choose = element(
      "th",
      { attributes: { scope: "col" } },
      element("span", { class: "unseen", text: "Choose" }),
    );
    head.replaceChildren(
      element("tr", { attributes: { role: "row" } }, choose, ...heads.map(({ cell }) => cell), trendHead),
    );
    body.replaceChildren();
    rows.clear();
    drawnColumns = columns;
  }

  /** The arrows go to the same control of the next row. */
  body.addEventListener("keydown", (event) => {
    const from = event.target as HTMLElement;
    const row = from.closest("tr");
    if (!row || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    const to = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    to?.querySelector<HTMLElement>(`[data-control="${from.dataset.control}"]`)?.focus();
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    node,
    update(state) {
      const { table: found, sortBy, descending } = state;
      if (drawnColumns?.join() !== found.columns.join()) layOut(found.columns);
      for (const { update } of heads) update(sortBy, descending);
      const longest = longestHorizon(found.rows);
      heads[heads.length - 3].cell.title = `Of ${formatCount(found.batches)}`;
      setText(trendHead, `Horizon over training: up to ${formatTick(longest)} steps`);
      const order = sortedRows(found, sortBy, descending);
      order.forEach((trial, place) => {
        let row = rows.get(trial.number);
        if (!row) {
          row = createRow(trial.number, commands);
          rows.set(trial.number, row);
        }
        row.update(trial, state, longest);
        if (body.children[place] !== row.node) insertAt(body, row.node, place);
      });
    },
  };
}

/** Moves a row without taking the focus from what is in it. */
function insertAt(body: HTMLElement, row: HTMLElement, place: number) {
  const focused = row.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
  body.insertBefore(row, body.children[place] ?? null);
  focused?.focus();
}

function createHead({ key, text, title }: { key: string; text: string; title: string }, commands: SweepCommands) {
  const mark = element("span", { class: "sort-mark", attributes: { "aria-hidden": "true" } });
  const button = element("button", { attributes: { type: "button", title, "data-sort": key } }, text, mark);
  button.addEventListener("click", () => commands.sort(key));
  const cell = element("th", { attributes: { role: "columnheader" } }, button);
  return {
    cell,
    update(sortBy: string, descending: boolean) {
      const sorted = key === sortBy;
      cell.setAttribute("aria-sort", sorted ? (descending ? "descending" : "ascending") : "none");
      setText(mark, sorted ? (descending ? "▾" : "▴") : "");
    },
  };
}

function createRow(number: number, commands: SweepCommands) {
  const choose = element("input", {
    attributes: { type: "checkbox", "data-control": "choose", "aria-label": `Choose trial ${number}`, ...OWN_KEYS },
  });
  choose.addEventListener("change", () => commands.choose(number, choose.checked));
  const open = element("button", {
    text: String(number),
    attributes: { type: "button", "data-control": "open", title: `Show trial ${number} in the panels`, ...OWN_KEYS },
  });
  open.addEventListener("click", () => commands.show([number]));
  const status = element("span", { class: "trial-status" });
  const said = element("span", { class: "trial-said" });
  const batch = createCell("batches", "number");
  const loss = createCell("loss", "number");
  const horizon = createCell("horizon", "number");
  const { svg, line } = createPlot();
  const settings: HTMLElement[] = [];
  const node = element("tr", { attributes: { role: "row", "data-trial": String(number) } });
  const inputs = createInputs();

  function layOut({ values }: TrialRow, columns: readonly string[]) {
    settings.push(
      ...values.map((value, index) => createCell(inWords(columns[index]), typeof value === "number" ? "number" : "")),
    );
    const others = [createCell("", "", status, said), batch, loss, horizon, createCell("", "trend", svg)];
    node.append(createCell("", "", choose), createCell("", "", open), ...settings, ...others);
  }

  return {
    node,
    update(trial: TrialRow, { table, chosen, panels }: SweepState, longest: number) {
      const isChosen = chosen.includes(number);
      choose.checked = isChosen;
      choose.disabled = !trial.here || (!isChosen && chosen.length >= MOST);
      const isShown = panels?.numbers.includes(number) ?? false;
      node.classList.toggle("shown", isShown);
      open.setAttribute("aria-pressed", String(isShown));
      if (!inputs.changed(trial, longest)) return;
      if (node.childElementCount === 0) layOut(trial, table.columns);
      trial.values.forEach((value, index) => {
        setText(settings[index], valueText(value));
      });
      open.disabled = !trial.here;
      node.dataset.status = trial.status;
      setText(status, trial.status);
      const words = [trial.said, trial.hint].filter(Boolean).join(" ");
      setText(said, words);
      said.title = words;
      said.hidden = words === "";
      setText(batch, formatCount(trial.batch));
      setText(loss, lossText(trial));
      setText(horizon, horizonText(trial));
      line.setAttribute("d", trendPath(trial.trend, table.batches, longest, WIDTH, HEIGHT));
      svg.setAttribute("aria-label", trendText(trial));
    },
  };
}

const inWords = (setting: string) => setting.replaceAll("_", " ");

/** `label` names the column where there is no head above it: on a narrow page. */
function createCell(label: string, name: string, ...children: Node[]) {
  return element(
    "td",
    { class: name, attributes: { role: "cell", ...(label && { "data-label": label }) } },
    ...children,
  );
}

function createPlot() {
  const ground = svgElement("path", { class: "trend-ground", d: `M0,${HEIGHT}H${WIDTH}` });
  const line = svgElement("path", { class: "trend-line" });
  const [width, height] = [WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN];
  const viewBox = `-${MARGIN} -${MARGIN} ${width} ${height}`;
  return { svg: svgElement("svg", { role: "img", width, height, viewBox }, ground, line), line };
}
