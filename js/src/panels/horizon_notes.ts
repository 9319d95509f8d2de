/** What has to be said about panel 4 so that nothing is left out in silence. */

import type { Shown } from "../figure/figure";
import type { Received } from "../geometry/decay";
import { sizeExtent } from "../geometry/log_axis";
import { zeroStep } from "../state/surfaces";
import { formatCount } from "../words/format";
import { zeroStateText } from "../words/surface_text";

/** "1 step", "steps 3–9", or how many. */
function nameSteps(pieces: Received[]): string {
  const [last, first] = [pieces[0].step, pieces[pieces.length - 1].step];
  if (pieces.length === 1) return `step ${first}`;
  return last - first + 1 === pieces.length ? `steps ${first}–${last}` : `${formatCount(pieces.length)} steps`;
}

export function horizonNotes(
  received: Received[],
  { snapshot, surface, view }: Shown,
  log: boolean,
  sent: boolean,
): string {
  const notes: string[] = [];
  const inView = ({ step }: Received) => step >= view.first && step < view.first + view.count;
  const outside = received.filter((piece) => !inView(piece));
  const pieces = received.filter(inView);
  if (outside.length > 0) notes.push(`Out of view: ${nameSteps(outside)}.`);
  const broken = pieces.filter(({ value }) => !Number.isFinite(value));
  if (broken.length > 0) notes.push(`Not finite, and not drawn: ${nameSteps(broken)}.`);
  if (!log || !sent) return notes.join(" ");
  if (!sizeExtent(Float64Array.from(received, ({ value }) => value))) {
    notes.push("There is nothing that a logarithmic axis could show: the axis is linear.");
  }
  const zero = zeroStep(surface, snapshot);
  const initial = pieces.filter(({ step, value }) => step === zero && value === 0);
  const zeros = pieces.filter((piece) => piece.value === 0 && !initial.includes(piece));
  if (initial.length > 0) {
    notes.push(`Grey dash at step ${zero}: exactly 0, as ${zeroStateText(initial[0].step)}; not vanishing.`);
  }
  if (zeros.length > 0) {
    notes.push(
      `Grey dashes, ${nameSteps(zeros)}: 0, too small to be followed (below 10⁻³⁰ of the largest, in float32).`,
    );
  }
  const negative = pieces.filter(({ value }) => value < 0);
  if (negative.length > 0) notes.push(`Violet, ${nameSteps(negative)}: negative, drawn by size.`);
  return notes.join(" ");
}
