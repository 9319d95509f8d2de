/** What the kernel says, checked field by field before a page takes it in; the tables are in docs/architecture.md. */

import {
  anything,
  type Check,
  fields,
  flag,
  isObject,
  list,
  maybe,
  number,
  oneOf,
  orNull,
  text,
  tuple,
  unfit,
  whole,
} from "./checks";

const diagnosis = fields({ kind: text, name: text, sentence: text, remedy: text });
const status = fields({
  state: oneOf("ready", "training", "paused", "diverged", "error"),
  batch: whole,
  epoch_of_data: number,
  loss: orNull(number),
  perplexity: orNull(number),
  rate: orNull(number),
  message: text,
  hint: text,
  details_every: whole,
  memory_limit: number,
  overhead: maybe(orNull(number)),
  file: maybe(orNull(fields({ follows: flag, said: text, trouble: text }))),
  diagnoses: maybe(list(diagnosis)),
});
const sample = orNull(fields({ batch: whole, text }));
const samples = fields({ first: sample, now: sample });
const cues = list(fields({ batch: whole, kind: text, score: number, reason: text }));
const choice = orNull(
  fields({ horizon: whole, tolerance: number, batch: whole, losses: whole, residual: list(orNull(number)) }),
);
const mark = orNull(fields({ batch: whole, step: whole, lag: whole }));
const contrast = maybe(fields({ sentence: text, mark: maybe(mark) }));

const request = { client: orNull(text), seq: whole };
const news = {
  epoch: whole,
  frame: whole,
  recorded: whole,
  status,
  samples: maybe(samples),
  cues: maybe(cues),
  choice: maybe(choice),
};
const head = { ...request, last: flag, playing: flag };
const everything = { epoch: whole, next: whole, recorded: whole, status, samples, cues, choice };
const answer = {
  client: text,
  epoch: whole,
  batch: whole,
  stream: orNull(whole),
  part: orNull(text),
  held: flag,
  nearest: orNull(whole),
  reason: maybe(orNull(text)),
  unfinished: maybe(flag),
  again: maybe(flag),
};
const short = {
  busy: request,
  done: request,
  code: { client: text, line: text },
  refused: { name: text, value: anything, message: text },
  error: { message: text, hint: text },
};
const row = fields({
  number: whole,
  values: list((value) => value === null || text(value) || number(value) || flag(value)),
  status: text,
  batch: whole,
  loss: orNull(number),
  horizon: orNull(number),
  at_least: flag,
  said: text,
  hint: text,
  trend: list(tuple(number, number)),
  here: flag,
});
const { error } = short;

type Forms = Record<string, Record<string, Check>>;
export const OF_RUN: Forms = { frame: { ...head, ...news }, whole: everything, details: answer, ...short };
export const OF_COMPARISON: Forms = {
  frame: { ...head, sides: list(fields(news)), chunks: list(whole), contrast },
  whole: { ...everything, side: whole },
  details: { ...answer, side: whole },
  ...short,
};
export const OF_SWEEP: Forms = {
  rows: { ...request, rows: list(row), finished: flag },
  code: short.code,
  relay: { id: whole, data: isObject },
  refused: { message: text },
  error,
};

/** Throws unless a message is of one of these forms; the error names the field. */
export function requireForm(message: unknown, forms: Forms) {
  const kind = isObject(message) && typeof message.kind === "string" ? message.kind : "";
  if (!isObject(message) || !Object.hasOwn(forms, kind))
    throw new Error(`a message of kind ${kind.slice(0, 40) || "none"} is not known here`);
  const field = unfit(message, forms[kind]);
  if (field !== null) throw new Error(`a message of kind ${kind} has no such ${field}`);
}
