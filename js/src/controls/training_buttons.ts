/** The buttons that train: play and pause, steps, reset. What they do, the kernel answers. */

import { element, setText } from "../browser/dom";
import { type IconName, icon, setIcon } from "./icons";

export function createButton(action: string, name: IconName, label: string, title: string, onClick: () => void) {
  const picture = icon(name);
  const text = element("span", { text: label });
  const button = element("button", { attributes: { type: "button", "data-action": action, title } }, picture, text);
  button.addEventListener("click", onClick);
  return { button, picture, text };
}

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
  const play = createButton("play", "play", "Play", titles.play, () => (playing ? commands.stop() : commands.play()));
  const steps = [
    createButton("step", "step", "One batch", titles.step, () => commands.step("batch")),
    createButton("record", "record", "To next record", "Train up to the next batch that is due to be recorded", () =>
      commands.step("record"),
    ),
  ];
  const reset = createButton("reset", "reset", "Reset", titles.reset, commands.reset);
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
