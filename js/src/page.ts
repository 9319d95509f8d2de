/**
 * Entry point of a page that is one file: shows the run, or the comparison, that the file holds, without a kernel or a network. A page that
 * was served asks its server for what is new.
 */

import type { InitializeProps } from "@anywidget/types";
import { element } from "./browser/dom";
import { createWidget, showComparison, showRun } from "./lifecycle";
import { expand } from "./protocol/compact";
import type { ComparisonTraits } from "./protocol/comparison_contract";
import type { Bytes, Traits } from "./protocol/contract";
import "./styles/run.css";
import "./styles/comparison.css";
import "./styles/page.css";
import { createPlainModel } from "./session/plain_model";
import { createServedModel } from "./session/server_talk";

/** What stands in the file, as `page.py` writes it. */
const read = (id: string) => document.getElementById(id)?.textContent ?? "";

async function show(place: HTMLElement) {
  const traits: Traits | ComparisonTraits = JSON.parse(read("rnnbow-traits"));
  const runs = await Promise.all(read("rnnbow-chunks").split("\n").map(chunksOf));
  if (!("_sides" in traits)) return showOne(place, traits, runs[0]);
  runs.forEach((chunks, side) => {
    const state = traits[`_side_${side}` as "_side_0"];
    if (state) state._run.chunks = chunks;
  });
  const { model } = createPlainModel(traits, noKernel);
  const widget = createWidget(showComparison)();
  widget.initialize({ model } as InitializeProps<ComparisonTraits>);
  widget.render({ el: place });
}

function noKernel() {
  throw new Error("There is no kernel.");
}

/** The chunks of a run: each text has some of them. */
const chunksOf = async (texts: string) => (await Promise.all(texts.split(" ").map(expand))).flat();

function showOne(place: HTMLElement, traits: Traits, chunks: Bytes[]) {
  traits._run.chunks = chunks;
  const follows = read("rnnbow-follows");
  const model = follows
    ? createServedModel(traits, { post: (body) => post(follows, body), reload: () => location.reload() })
    : createPlainModel(traits, noKernel).model;
  const widget = createWidget(showRun)();
  widget.initialize({ model } as InitializeProps<Traits>);
  widget.render({ el: place });
}

async function post(address: string, body: string): Promise<ArrayBuffer> {
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.arrayBuffer();
}

const place = document.querySelector("main") as HTMLElement;
show(place).catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  const words =
    "DecompressionStream" in window
      ? `This file is damaged or not complete: ${reason}`
      : "This browser is too old to read the file. Any browser of 2023 or later can.";
  place.replaceChildren(element("p", { class: "failure", text: words, attributes: { role: "alert" } }));
});
