/** Beneath panel 4: which horizon would be enough, and what each leaves out of the gradient of any loss. */

import { element, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import type { Figure, Gestures, Panel } from "../figure/figure";
import { describeChoice, explainResiduals, inForce } from "../geometry/residuals";
import type { HorizonChoice } from "../protocol/contract";
import type { Commands } from "../session/session";
import { formatCount } from "../words/format";
import { createFoldout } from "./foldout";
import { createResidualPlot } from "./residual_plot";

/** Wider pages have the words beside the plot. */
const BESIDE = 820;
const PLOT_PART = 0.62;
const UNMEASURED =
  "How many lags must be recorded so that little of any loss’s gradient is left out? Measuring follows every loss of the " +
  "windows that come next all the way back; training is not disturbed.";

export function createHorizonChoice(parent: HTMLElement, commands: Commands, gestures: Gestures): Panel {
  const parts = { name: "choice" as const, title: "Which horizon is enough?", body: "choice-body" };
  const { section, details, body, finding } = createFoldout(parent, parts, gestures);
  const make = (action: string, title: string, onClick: () => void) => createButton(action, "", onClick, { title });
  const measure = make(
    "measure-horizon",
    "Follow every loss of the windows that come next all the way back, with the network as it is",
    commands.measureHorizon,
  );
  const use = make("use-choice", "Record as many lags as are enough, from the next recorded batch on", () => {
    if (choice) commands.set("horizon", choice.horizon);
  });
  const auto = make("auto-horizon", "Choose again whenever the number of recorded batches has doubled", () => {
    if (figure?.state.settings.horizon !== "auto") commands.set("horizon", "auto");
    else if (choice) commands.set("horizon", choice.horizon);
  });
  auto.textContent = "Choose automatically";
  const plotArea = element("div");
  const words = element("p", { class: "hint" });
  const buttons = element("div", { class: "buttons" }, measure, use, auto);
  const refusal = element("p", { class: "refusal", attributes: { role: "status" } });
  const beside = element("div", { class: "words" }, words, buttons, refusal);
  body.append(plotArea, beside);
  const plot = createResidualPlot(plotArea, gestures, (k) => {
    if (figure?.state.info.live) commands.set("horizon", k);
  });

  let figure: Figure | null = null;
  let choice: HorizonChoice | null = null;

  function drawControls({ info, settings, refused }: Figure["state"]) {
    setText(measure, choice ? "Measure again" : "Measure");
    setText(refusal, refused.measure_horizon ?? "");
    buttons.hidden = !info.live;
    use.hidden = !choice || inForce(settings.horizon, choice) === choice.horizon;
    setText(use, choice ? `Set horizon to ${formatCount(choice.horizon)}` : "");
    auto.setAttribute("aria-pressed", String(settings.horizon === "auto"));
  }

  return {
    update(next) {
      const { state, width } = next;
      const { horizon } = state.settings;
      // Who lets the kernel choose wants to see what it chooses by.
      if (!figure) details.open = horizon === "auto";
      figure = next;
      choice = state.choice;
      section.hidden = !state.info.live && !choice;
      setText(finding, choice ? describeChoice(choice, horizon) : "");
      if (!details.open) return;
      drawControls(state);
      setText(words, choice ? explainResiduals(choice, state.status.batch) : UNMEASURED);
      plotArea.hidden = !choice;
      if (choice) plot.update(choice, horizon, width >= BESIDE ? Math.floor(PLOT_PART * width) : width);
    },
  };
}
