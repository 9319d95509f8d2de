/** What went in at each step, above the targets: tokens as text, vectors as one row of bars for each entry. */

import type { Shown } from "../figure/figure";
import type { State } from "../state/store";
import { labelOf } from "../words/outcomes";
import { taskOf } from "../words/task";
import { ellipsis } from "../words/visible_text";
import { CHARACTER, SMALL_CHARACTER } from "./label_columns";
import { createSvg, pathOf, rounded } from "./plot";
import { createStepMark } from "./step_mark";

const TOKENS = 20;
const VALUES = 22;
const GAP = 4;
/** More entries of a vector than this are not drawn. */
const MOST = 6;

export interface InputRows {
  /** Draws the inputs, or nothing if there are none to show; gives a sentence about what is not drawn. */
  draw(shown: Shown, state: State, width: number): string;
  light(step: number | null): void;
}

interface Bars {
  name: string;
  bars: string;
  zero: number;
}

/** `next`: what the rows stand before; a text has none. */
export function createInputRows(parent: HTMLElement, next: Element | null): InputRows {
  const svg = createSvg(parent, 0).attr("class", "input-rows").attr("role", "img");
  svg.remove();
  const rows = svg.append("g");
  const letters = svg.append("g").attr("class", "letters");
  const names = svg.append("g");
  const mark = createStepMark(svg, "input-mark");
  let shown: Shown | null = null;
  let height = 0;

  const stepsIn = ({ columns }: Shown) => Array.from({ length: columns.count }, (_, index) => columns.first + index);

  function drawNames(texts: { name: string; y: number }[], { columns }: Shown) {
    names
      .selectAll<SVGTextElement, { name: string; y: number }>("text")
      .data(texts)
      .join("text")
      .attr("class", "row-label")
      .attr("text-anchor", "end")
      .attr("x", columns.left - 8)
      .attr("y", ({ y }) => y)
      .text(({ name }) => ellipsis(name, 10));
  }

  function drawTokens(next: Shown, vocabulary: string[]): string {
    const { columns, snapshot } = next;
    const small = columns.width < CHARACTER;
    const fits = columns.width >= SMALL_CHARACTER;
    letters.classed("small", small);
    letters
      .selectAll<SVGTextElement, number>("text")
      .data(fits ? stepsIn(next) : [])
      .join("text")
      .attr("data-step", (step) => step)
      .attr("x", columns.center)
      .attr("y", TOKENS / 2)
      .text((step) =>
        ellipsis(
          labelOf(vocabulary, snapshot.inputs?.[step] ?? -1),
          Math.floor(columns.width / (small ? SMALL_CHARACTER : CHARACTER)),
        ),
      );
    drawBars([], next);
    drawNames(fits ? [{ name: "input", y: TOKENS / 2 }] : [], next);
    height = fits ? TOKENS : 0;
    return fits ? "" : "Inputs are too narrow to read here: zoom in, or point at a step.";
  }

  function drawBars(drawn: Bars[], { columns }: Shown) {
    const groups = rows
      .selectAll<SVGGElement, Bars>("g")
      .data(drawn)
      .join((enter) => {
        const group = enter.append("g");
        group.append("line");
        group.append("path");
        return group;
      });
    groups.attr("transform", (_, index) => `translate(0,${index * (VALUES + GAP)})`);
    groups
      .select("line")
      .attr("x1", columns.left)
      .attr("x2", columns.right)
      .attr("y1", ({ zero }) => zero)
      .attr("y2", ({ zero }) => zero);
    groups.select("path").attr("d", ({ bars }) => bars);
  }

  function drawVectors(next: Shown, entries: string[]): string {
    const { columns, snapshot } = next;
    const { values, size } = snapshot.inputValues ?? { values: new Float32Array(), size: 1 };
    const shownOf = Math.min(size, MOST);
    const drawn = Array.from({ length: shownOf }, (_, entry): Bars => {
      const at = (step: number) => values[step * size + entry];
      const all = Array.from({ length: snapshot.steps }, (_, step) => at(step));
      const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
      const y = (value: number) => VALUES * (1 - (value - least) / (most - least || 1));
      const bars = pathOf(
        stepsIn(next).filter((step) => at(step) !== 0),
        (step) => {
          const [top, bottom] = [y(Math.max(0, at(step))), y(Math.min(0, at(step)))];
          return [columns.barX(step), rounded(top), columns.barWidth(step), rounded(Math.max(1, bottom - top))];
        },
      );
      return { name: entries[entry] ?? (size === 1 ? "input" : `input ${entry}`), bars, zero: rounded(y(0)) };
    });
    letters.selectAll("text").remove();
    drawBars(drawn, next);
    drawNames(
      drawn.map(({ name }, index) => ({ name, y: index * (VALUES + GAP) + VALUES / 2 })),
      next,
    );
    height = shownOf * (VALUES + GAP);
    return size > MOST ? `Of ${size} entries of an input, the first ${MOST} are drawn.` : "";
  }

  return {
    draw(now, { info }, width) {
      shown = now;
      const { input_vocabulary, input_entries } = taskOf(info);
      const { inputs, inputValues } = now.snapshot;
      height = 0;
      const words = inputs ? drawTokens(now, input_vocabulary) : inputValues ? drawVectors(now, input_entries) : "";
      const node = svg.node();
      if (height === 0) svg.remove();
      else if (node && !node.isConnected) parent.insertBefore(node, next);
      svg.attr("width", width).attr("height", height);
      svg.attr("aria-label", "Inputs of each step; the plot below says them step by step.");
      return words;
    },
    light: (step) => mark.light(step, shown, height),
  };
}
