/** The guided tour: a small dialog that goes from panel to panel, points at what it speaks of, and leaves all usable. */

import { element, OWN_KEYS, setText } from "../browser/dom";
import { randomName } from "../browser/random_name";
import { createButton } from "../controls/button";
import { rememberTour } from "./memory";
import { type Box, pointAt } from "./pointer";
import type { TourStep } from "./tour_steps";

export interface Tour {
  readonly open: boolean;
  /** `asked`: by the person, who is taken there; else it waits where it is, and takes neither focus nor place. */
  start(asked: boolean): void;
  close(): void;
  /** Takes in how the steps for what is shown are found; null while there is nothing to tour. */
  update(find: (() => TourStep[]) | null): void;
}

const DISTANCE = 14;

/** `onClose` is told that the person, or the last step, ended it. */
export function createTour(root: HTMLElement, onClose: () => void): Tour {
  const id = `rnnbow-tour-${randomName()}`;
  const title = element("h3", { attributes: { id } });
  const text = element("p", { attributes: { id: `${id}-text` } });
  const place = element("span", { class: "place" });
  const back = createButton("tour-back", "Back", () => go(-1));
  const next = createButton("tour-next", "Next", () => go(1));
  const end = createButton("tour-close", "Close", close);
  const node = element(
    "div",
    {
      class: "tour",
      attributes: {
        role: "dialog",
        tabindex: "-1",
        "aria-labelledby": id,
        "aria-describedby": `${id}-text`,
        ...OWN_KEYS,
      },
    },
    title,
    text,
    element("div", { class: "tour-steps" }, place, back, next, end),
  );
  let steps: TourStep[] = [];
  let current = 0;
  let find: (() => TourStep[]) | null = null;
  let stop = () => {};
  let before: Element | null = null;

  node.addEventListener("keydown", (event) => {
    const moves: Record<string, () => void> = {
      ArrowRight: () => go(1),
      ArrowLeft: () => go(-1),
      Escape: close,
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  });

  function go(by: 1 | -1) {
    const to = current + by;
    if (to < 0) return;
    if (to >= steps.length) return close();
    current = to;
    draw();
    show(true);
    // A button that cannot be pressed any more would lose the focus.
    if (document.activeElement === document.body || back.disabled) next.focus({ preventScroll: true });
  }

  function draw() {
    const step = steps[current];
    setText(title, step.title);
    setText(text, step.text);
    setText(place, `${current + 1} of ${steps.length}`);
    back.disabled = current === 0;
    setText(next, current === steps.length - 1 ? "Done" : "Next");
  }

  /** Points at what the step is about, and brings it into view. */
  function show(scrolls: boolean) {
    stop();
    const { selectors } = steps[current];
    let seen = !scrolls;
    stop = pointAt(root, {
      within: root,
      selectors,
      from: node,
      onMove(target) {
        moveTo(target);
        if (!seen) node.scrollIntoView({ block: "nearest" });
        seen = true;
      },
    });
  }

  /** Below what it points at if there is room, else above. */
  function moveTo(target: Box | null) {
    const { clientWidth, clientHeight } = root;
    const { offsetWidth, offsetHeight } = node;
    const x = Math.max(8, Math.min(clientWidth - offsetWidth - 8, (target?.x ?? 0) + (target?.width ?? 0) / 2 - 60));
    const under = (target?.y ?? 0) + (target?.height ?? 0) + DISTANCE;
    const over = (target?.y ?? 0) - DISTANCE - offsetHeight;
    const y = under + offsetHeight <= clientHeight || over < 0 ? under : over;
    node.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  function close() {
    if (!node.isConnected) return;
    stop();
    node.remove();
    rememberTour();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    onClose();
  }

  return {
    get open() {
      return node.isConnected;
    },
    start(asked) {
      if (!find || node.isConnected) return;
      before = document.activeElement;
      current = 0;
      steps = find();
      root.append(node);
      draw();
      show(asked);
      if (asked) node.focus({ preventScroll: true });
    },
    close,
    update(next) {
      find = next;
      if (!node.isConnected || !next) return;
      steps = next();
      current = Math.min(current, steps.length - 1);
      draw();
    },
  };
}
