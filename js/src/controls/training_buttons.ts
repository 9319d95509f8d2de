/** The buttons that train: play and pause, steps, reset. What they do, the kernel answers. */

import { element, setText } from "../browser/dom";
import { createIconButton } from "./button";
import { setIcon } from "./icons";

interface Trains {
  play(): void;
  stop(): void;
  step(until: "batch" | "record"): void;
  reset(): void;
}

export interface Titles {
  play: string;
  step: string;
  reset: string;
}

export function createTrainingButtons(titles: Titles, commands: Trains) {
  let playing = false;
  const play = createIconButton("play", "play", "Play", titles.play, () =>
    playing ? commands.stop() : commands.play(),
  );
  const steps = [
    createIconButton("step", "step", "One batch", titles.step, () => commands.step("batch")),
    createIconButton(
      "record",
      "record",
      "To next record",
      "Train up to the next batch that is due to be recorded",
      () => commands.step("record"),
    ),
  ];
  const reset = createIconButton("reset", "reset", "Reset", titles.reset, commands.reset);
  const node = element("div", { class: "buttons" }, ...[play, ...steps, reset].map(({ button }) => button));

  return {
    node,
    update(state: { live: boolean; playing: boolean }) {
      ({ playing } = state);
      node.hidden = !state.live;
      setText(play.text, playing ? "Pause" : "Play");
      setIcon(play.picture, playing ? "pause" : "play");
      for (const { button } of steps) button.disabled = playing;
    },
  };
}
