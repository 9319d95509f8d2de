/** Shows the widget with a mock kernel. The address chooses what: ?recorded=300&steps=25&lags=5&form=heatmap&theme=dark&thinned=8&cell=lstm&layers=3&bidirectional&silent … */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { createWidget, showRun } from "../src/lifecycle";
import type { Traits } from "../src/protocol/contract";
import "../src/styles/run.css";
import { createMockModel } from "./mock_model";

const TEXT = `#ifndef NPY_MATH_H_
#define NPY_MATH_H_
/*
 * static inline:\tsome compilers need help
 */
typedef unsigned int npy_uint;
static inline npy_uint npy_gcd(npy_uint a, npy_uint b) {
\twhile (a != 0) {
\t\tnpy_uint c = a;
\t\ta = b % a;
\t\tb = c;
\t}
\treturn b;
}
`.repeat(40);

const parameters = new URLSearchParams(location.search);
const number = (name: string, otherwise: number) => Number(parameters.get(name) ?? otherwise);
const steps = number("steps", 25);
const recorded = number("recorded", 300);
const recordEvery = number("every", 100);

const model = createMockModel({
  steps,
  lags: number("lags", 5),
  streams: number("streams", 1),
  cell: parameters.get("cell") ?? "tanh",
  layers: number("layers", 1),
  bidirectional: parameters.has("bidirectional"),
  hidden: number("hidden", 100),
  text: TEXT,
  labels: Array.from(new Set(TEXT)),
  recorded,
  recordEvery,
  detailsEvery: number("thinned", 1),
  silent: parameters.has("silent"),
  live: parameters.get("live") !== "false",
  halfLife: 0.15 * Math.max(recorded, 100) * recordEvery,
  diverged: new Set(parameters.has("diverged") ? [(recorded - 1) * recordEvery] : []),
});
for (const name of ["measure", "form", "quantity", "overlay", "surface"] as const) {
  const chosen = parameters.get(name);
  if (chosen) model.set(name, chosen as never);
}
model.set("log_scale", parameters.has("log"));

document.body.dataset.jpThemeLight = String(parameters.get("theme") !== "dark");
const opened = performance.now();
const widget = createWidget(showRun)();
widget.initialize({ model } as InitializeProps<Traits>);
for (const el of document.querySelectorAll<HTMLElement>("[data-view]")) {
  widget.render({ model, el } as RenderProps<Traits>);
}
requestAnimationFrame(() =>
  requestAnimationFrame(() => {
    document.body.dataset.openedIn = String(performance.now() - opened);
  }),
);
