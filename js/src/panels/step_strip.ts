/** The whole window as a thin strip: what of it the panels show, and a brush that moves and resizes that stretch. */

import { pointer } from "d3-selection";
import { element, setText } from "../browser/dom";
import { createButton } from "../controls/button";
import type { Gestures, Panel, Shown } from "../figure/figure";
import { type Focus, focusedLoss } from "../geometry/focus";
import { drag, type Grip, gripAt, isWhole, type StepWindow, whole, zoom } from "../geometry/step_window";
import { answerKeys } from "./keys";
import { createSvg, makeSteerable, pathOf } from "./plot";
import { zoomByKey } from "./zoomable";

const PROFILE = 20;
const TOP = 2;
const HEIGHT = TOP + PROFILE + 2;
/** A pointer this near to an edge of the brush means the edge. */
const REACH = 7;

const CURSORS: Record<Grip, string> = { first: "ew-resize", last: "ew-resize", inside: "grab", outside: "crosshair" };

export function createStepStrip(parent: HTMLElement, gestures: Gestures): Panel {
  const range = element("span", { class: "range" });
  const make = (text: string, action: string, title: string, view: (shown: Shown) => StepWindow) =>
    createButton(action, text, () => shown && gestures.zoom(view(shown)), { title, "aria-label": title });
  const middle = ({ view }: Shown) => view.first + view.count / 2;
  const closer = make("+", "zoom-in", "Fewer steps, wider columns (key +)", (now) =>
    zoom(now.view, now.snapshot.steps, 0.5, middle(now)),
  );
  const wider = make("−", "zoom-out", "More steps, narrower columns (key −)", (now) =>
    zoom(now.view, now.snapshot.steps, 2, middle(now)),
  );
  const all = make("Whole window", "zoom-reset", "Show every step (key 0)", ({ snapshot }) => whole(snapshot.steps));
  const help = element("span", {
    class: "hint",
    text: "Drag the brush, or ⌘/ctrl + wheel in a plot; keys + − 0, shift + arrows.",
  });
  const head = element("div", { class: "context-head" }, range, closer, wider, all, help);
  const strip = element("div", { class: "context" }, head);
  parent.append(strip);

  const svg = createSvg(strip, HEIGHT);
  makeSteerable(svg, "Steps in view. Plus and minus zoom, shift with left and right moves, 0 shows the whole window.");
  const profile = svg.append("path").attr("class", "profile");
  const veils = [svg.append("rect").attr("class", "veil"), svg.append("rect").attr("class", "veil")];
  const mark = svg
    .append("rect")
    .attr("class", "place")
    .attr("y", TOP)
    .attr("height", HEIGHT - TOP);
  const brush = svg
    .append("rect")
    .attr("class", "brush")
    .attr("y", 0.5)
    .attr("height", HEIGHT - 1);
  const handles = [svg.append("rect").attr("class", "handle"), svg.append("rect").attr("class", "handle")];
  let shown: Shown | null = null;
  let held: { grip: Grip; from: number; view: StepWindow } | null = null;

  const stepUnder = (event: PointerEvent, { overall }: Shown) =>
    (pointer(event, svg.node())[0] - overall.left) / overall.width;

  function grip(step: number, { view, overall, snapshot }: Shown): Grip {
    const found = gripAt(view, step, REACH / overall.width);
    // The whole window cannot be moved: a drag draws a new brush.
    return found === "inside" && isWhole(view, snapshot.steps) ? "outside" : found;
  }

  svg
    .on("pointerdown", (event: PointerEvent) => {
      if (!shown || event.button !== 0) return;
      const from = stepUnder(event, shown);
      held = { grip: grip(from, shown), from, view: shown.view };
      svg.node()?.setPointerCapture(event.pointerId);
    })
    .on("pointermove", (event: PointerEvent) => {
      if (!shown) return;
      const step = stepUnder(event, shown);
      if (!held) {
        svg.style("cursor", CURSORS[grip(step, shown)]);
      } else if (Math.abs(step - held.from) * shown.overall.width >= 2) {
        gestures.zoom(drag(held.view, shown.snapshot.steps, held.grip, held.from, step));
      }
    })
    .on("pointerup pointercancel", () => {
      held = null;
    })
    .on(
      "keydown",
      answerKeys((event) => {
        gestures.settle();
        return shown !== null && zoomByKey(event, shown, gestures);
      }),
    );

  /** Size of what each step receives. */
  function drawProfile({ items, overall, snapshot }: Shown) {
    const sizes = Array.from(items.total ?? new Float32Array(snapshot.steps), (value) =>
      Number.isFinite(value) ? Math.abs(value) : 0,
    );
    const most = Math.max(...sizes) || 1;
    const path = pathOf(Array.from(sizes.keys()), (step) => {
      const height = (sizes[step] / most) * PROFILE;
      return [overall.barX(step), TOP + PROFILE - height, overall.barWidth(step), height];
    });
    profile.attr("d", path);
  }

  function drawBrush({ view, overall, snapshot }: Shown) {
    const from = overall.x(view.first);
    const to = overall.x(view.first + view.count);
    const veiled = [
      [overall.left, from],
      [to, overall.right],
    ];
    veils.forEach((veil, index) => {
      const [start, end] = veiled[index];
      veil
        .attr("x", start)
        .attr("width", Math.max(0, end - start))
        .attr("height", HEIGHT);
    });
    brush.attr("x", from + 0.5).attr("width", Math.max(1, to - from - 1));
    handles.forEach((handle, index) => {
      handle
        .attr("x", [from, to][index] - 2)
        .attr("y", HEIGHT / 2 - 6)
        .attr("width", 4)
        .attr("height", 12)
        .attr("rx", 1.5);
    });
    const everything = isWhole(view, snapshot.steps);
    const { first, count } = view;
    setText(
      range,
      everything ? `All ${snapshot.steps} steps` : `Steps ${first}–${first + count - 1} of ${snapshot.steps}`,
    );
    all.disabled = everything;
    wider.disabled = everything;
  }

  return {
    update({ shown: next, width }) {
      shown = next;
      if (!next) return;
      strip.hidden = next.ample && isWhole(next.view, next.snapshot.steps);
      if (strip.hidden) return;
      svg.attr("width", width);
      drawProfile(next);
      drawBrush(next);
    },
    highlight(focus: Focus) {
      const loss = focusedLoss(focus);
      mark.classed("hidden", loss === null || !shown);
      if (loss === null || !shown) return;
      mark.attr("x", shown.overall.x(loss)).attr("width", shown.overall.barWidth(loss));
    },
  };
}
