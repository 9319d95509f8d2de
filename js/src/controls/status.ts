/** The line that says how training goes, and the banner that says what went wrong. */

import { element, setText } from "../browser/dom";
import type { Info } from "../protocol/contract";
import { follows, type Problem, type State } from "../state/store";
import { formatBytes, formatCount, formatLoss, formatNumber } from "../words/format";
import { distinctName } from "../words/surface_text";
import { taskOf } from "../words/task";
import { createTrouble } from "./trouble";

export interface StatusLine {
  /** `failure` is what this view itself could not do. */
  update(state: State, failure: Problem | null): void;
}

function problemOf(state: State, failure: Problem | null): Problem | null {
  const { message, hint, state: training } = state.status;
  if (failure) return failure;
  if (state.problem) return state.problem;
  const trouble = state.status.file?.trouble;
  if (message || training === "diverged" || training === "error") {
    return { message: message || "Training stopped.", hint };
  }
  if (trouble) return { message: "The run is not saved just now.", hint: `${trouble}.` };
  return null;
}

function describe({ info, surface }: State): string {
  const { cell, hidden_size, seq_length, batch_size, data_name, data_length } = info;
  const parts = [
    cell && cell + describeArrangement(info, surface),
    hidden_size !== null && `${formatCount(hidden_size)} hidden units`,
    batch_size > 1 && `${formatCount(batch_size)} streams`,
    seq_length !== null && `windows of ${formatCount(seq_length)} steps`,
    data_name + (data_length === null ? "" : `, ${formatCount(data_length)} tokens`),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Layers and directions, and what the panels show, unless that goes without saying. */
function describeArrangement(info: Info, surface: string): string {
  const { num_layers, bidirectional } = info;
  const layers = num_layers > 1 ? ` in ${formatCount(num_layers)} layers` : "";
  const arrangement = `${layers}${bidirectional ? ", both directions" : ""}`;
  const shown = distinctName(surface, info);
  return shown && `${arrangement} (shown: ${shown})`;
}

/** "0.120, baseline 0.167": compared with who misses the point, where there is such a thing. */
function describeLoss(loss: number, info: Info): string {
  const { loss_unit, baseline, solved_below } = taskOf(info);
  const compared = baseline === null ? "" : `, baseline ${formatLoss(baseline)}`;
  const solved = solved_below !== null && loss < solved_below ? " (solved)" : "";
  return `${formatLoss(loss)}${loss_unit && ` ${loss_unit}/step`}${compared}${solved}`;
}

/** What of the run is here, and what of it the kernel keeps, if that is not all. */
function describeExtent(state: State): string {
  const { run, recorded, completing, reached, status, info } = state;
  if (info.page) return describeFile(state, info.page);
  const sentences: string[] = [];
  if (run.length < recorded) {
    const part = `${formatCount(run.length)} of ${formatCount(recorded)} recorded batches; every peak is among them`;
    sentences.push(
      completing
        ? `Shown: ${part}. The kernel is asked for the rest.`
        : `${reached ? "Shown:" : "No kernel has answered; the notebook holds"} ${part}.`,
    );
  }
  if (status.details_every > 1) {
    const limit = formatBytes(status.memory_limit);
    const many = formatCount(status.details_every);
    sentences.push(
      `Memory limit of ${limit}: details of one in ${many} recorded batches are kept, and of the newest. The overview has all.`,
    );
  }
  if (status.overhead != null) {
    sentences.push(`Recording takes ${formatNumber(100 * status.overhead)} % of the loop's time.`);
  }
  return sentences.join(" ");
}

/** What of the run is in a page that is one file, if that is not all. */
function describeFile({ run, recorded }: State, { details }: { details: number }): string {
  const rows = `${formatCount(run.length)} of ${formatCount(recorded)} recorded batches`;
  const shown = run.length < recorded ? `This page shows ${rows}; every peak is among them. ` : "";
  if (details >= recorded) return shown;
  return `${shown}It has the details of ${formatCount(details)} of ${formatCount(recorded)} recorded batches, evenly spread.`;
}

export function createStatus(parent: HTMLElement): StatusLine {
  const line = element("dl", { class: "status" });
  const values = ["state", "batch", "loss", "perplexity", "rate"].map((name) => {
    const value = element("dd", { attributes: { "data-status": name } });
    const entry = element("div", {}, element("dt", { text: name === "rate" ? "batches/s" : name }), value);
    line.append(entry);
    return { name, value, entry };
  });
  const about = element("p", { class: "about" });
  const extent = element("p", { class: "extent", attributes: { role: "status" } });
  const file = element("p", { class: "file" });
  const trouble = createTrouble();
  parent.append(element("div", { class: "status-row" }, line, about), file, extent, ...trouble.nodes);

  return {
    update(state, failure) {
      const { status, info } = state;
      const texts: Record<string, string> = {
        state: status.state,
        batch: formatCount(status.batch),
        loss: status.loss === null ? "—" : describeLoss(status.loss, info),
        perplexity: status.perplexity === null ? "—" : formatNumber(status.perplexity),
        rate: status.rate === null ? "—" : formatCount(Math.round(status.rate)),
      };
      const isText = taskOf(info).baseline === null && taskOf(info).kind === "classes";
      for (const { name, value, entry } of values) {
        setText(value, texts[name]);
        entry.hidden = name === "perplexity" && !isText;
      }
      setText(about, describe(state));
      const words = describeExtent(state);
      extent.hidden = words === "";
      setText(extent, words);
      file.hidden = !status.file;
      setText(file, status.file?.said ?? "");
      const silent = state.silent && (info.live || follows(status));
      trouble.update(silent, problemOf(state, failure));
    },
  };
}
