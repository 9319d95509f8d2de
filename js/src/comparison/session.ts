/**
 * A comparison's conversation with its kernel: a session for each side, and for all of them together one chain of
 * requests for training time. Lives as long as the model, whatever views come and go.
 */

import type { AnyModel } from "@anywidget/types";
import { browserClock, type Clock, createAudience, pageVisibility, type Visibility } from "../browser/clock";
import { randomName } from "../browser/random_name";
import type {
  ComparisonFrame,
  ComparisonTraits,
  FromComparison,
  Mark,
  SideDescription,
} from "../protocol/comparison_contract";
import type { Bytes } from "../protocol/contract";
import { OF_COMPARISON, requireForm } from "../protocol/kernel_message";
import { createRequests } from "../session/requests";
import { createSession, type Session } from "../session/session";
import { createTalk, type TrainingCommands, trainingCommands, unreadable } from "../session/talk";
import { type Code, createStore, follows, type Problem, type Store } from "../state/store";
import { createSideModel, SHARED } from "./side_model";

const CHOICES = [...SHARED, "scale"] as const;
/** What a person chooses for all sides. */
export type ComparisonChoices = Pick<ComparisonTraits, (typeof CHOICES)[number]>;

export interface ComparisonState extends ComparisonChoices {
  sides: readonly SideDescription[];
  remarks: readonly string[];
  sentence: string;
  mark: Mark | null;
  /** The comparison as a line of Python, once it was asked for. */
  code: Code | null;
  playing: boolean;
  problem: Problem | null;
  /** The kernel owes an answer and has said nothing for some seconds. */
  silent: boolean;
}

export interface ComparisonCommands extends TrainingCommands {
  choose<K extends keyof ComparisonChoices>(name: K, value: ComparisonChoices[K]): void;
  /** Asks for all of this as a line of Python. */
  askCode(): void;
}

export interface ComparisonSession {
  readonly store: Store<ComparisonState>;
  readonly sides: readonly Session[];
  commands: ComparisonCommands;
  /** A view shows this session; returns the function that ends it. Without one, nothing is trained. */
  join(): () => void;
  destroy(): void;
}

export function createComparisonSession(
  model: AnyModel<ComparisonTraits>,
  clock: Clock = browserClock,
  visibility: Visibility = pageVisibility,
): ComparisonSession {
  const client = randomName();
  const audience = createAudience(visibility);
  const models = model.get("_sides").sides.map((_, side) => createSideModel(model, side));
  const sides = models.map((side) => createSession(side.model, clock, audience, false));
  const store = createStore<ComparisonState>({
    ...model.get("_sides"),
    ...contrastOf(),
    code: null,
    playing: model.get("playing"),
    problem: null,
    silent: false,
    ...choices(),
  });
  const { update } = store;
  const talk = createTalk(
    model,
    clock,
    () => update({ silent: true }),
    (error) => update({ problem: unreadable(error) }),
  );

  const requests = createRequests({
    client,
    send: talk.send,
    wanted: () => model.get("playing"),
    following: () => sides.some(({ store }) => follows(store.state.status)),
    onSilence: () => update({ silent: true }),
    clock,
    visibility: audience,
  });

  function choices(): ComparisonChoices {
    const chosen = CHOICES.map((name) => [name, model.get(name)]);
    return Object.fromEntries(chosen) as unknown as ComparisonChoices;
  }

  function contrastOf() {
    const { sentence, mark = null } = model.get("_contrast");
    return { sentence, mark };
  }

  function heard() {
    talk.heard();
    requests.heard();
    if (store.state.silent) update({ silent: false });
  }

  /** Each side gets its part of a frame at once, so that what is drawn next is all of one batch. */
  function applyFrame({ sides: parts, chunks, contrast, ...head }: ComparisonFrame, buffers: Bytes[]) {
    if (parts.length !== models.length || chunks.length !== parts.length)
      throw new Error("a frame is not of these sides");
    let first = 0;
    parts.forEach((part, side) => {
      const end = first + chunks[side];
      models[side].receive({ ...head, ...part }, buffers.slice(first, end));
      first = end;
    });
    if (contrast) {
      Object.assign(model.get("_contrast"), contrast);
      update(contrastOf());
    }
    update({ problem: null });
    if (head.last) requests.ended(head.client, head.seq, head.playing);
  }

  function onMessage(message: FromComparison, buffers: Bytes[] = []) {
    heard();
    requireForm(message, OF_COMPARISON);
    switch (message.kind) {
      case "frame":
        return applyFrame(message, buffers);
      case "whole":
      case "details":
        if (message.side >= models.length) throw new Error(`there is no side ${message.side}`);
        return models[message.side].receive(message, buffers);
      case "busy":
        return requests.busy(message.client, message.seq);
      case "done":
        return requests.ended(message.client, message.seq, model.get("playing"));
      case "code":
        return message.client === client ? update({ code: { line: message.line } }) : undefined;
      case "error":
        requests.failed();
        return update({ problem: message });
      case "refused":
        return update({ problem: { message: message.message, hint: "" } });
      default:
        message satisfies never;
    }
  }

  talk.on("msg:custom", onMessage);
  talk.on("change:_sides", () => update(model.get("_sides")));
  talk.on("change:_contrast", () => update(contrastOf()));
  for (const name of CHOICES) talk.on(`change:${name}`, () => update({ [name]: model.get(name) }));
  talk.on("change:playing", () => {
    heard();
    update({ playing: model.get("playing") });
    requests.play();
  });
  const unsubscribe = sides.map((side) => side.store.subscribe(() => update({})));

  return {
    store,
    sides,
    commands: {
      ...trainingCommands(talk, requests),
      choose: talk.set,
      askCode: () => talk.command({ kind: "code", client }),
    },
    join: audience.join,
    destroy() {
      requests.destroy();
      talk.destroy();
      for (const end of unsubscribe) end();
      for (const side of sides) side.destroy();
    },
  };
}
