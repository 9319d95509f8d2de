/**
 * A sweep's conversation with its kernel: it asks what is new while trials train, and hands over what the panels of the
 * trial that is open say and hear. Lives as long as the model, whatever views come and go.
 */

import type { AnyModel } from "@anywidget/types";
import { browserClock, type Clock, createAudience, pageVisibility, type Visibility } from "../browser/clock";
import { randomName } from "../browser/random_name";
import { type Showing, showComparison, showRun } from "../lifecycle";
import type { ComparisonTraits } from "../protocol/comparison_contract";
import type { Bytes, Traits } from "../protocol/contract";
import { OF_SWEEP, requireForm } from "../protocol/kernel_message";
import type { FromSweep, SweepTable, SweepTraits, ToSweep } from "../protocol/sweep_contract";
import { createRequests } from "../session/requests";
import { createTalk, unreadable } from "../session/talk";
import { type Code, createStore, type Problem, type Store } from "../state/store";
import { createInnerModel, type InnerModel } from "./inner_model";
import { takeRows } from "./rows";

/** Trials that can be compared at once. */
export const MOST = 4;

/** What the panels show. */
export interface Panels {
  id: number;
  numbers: readonly number[];
  showing: Showing;
}

export interface SweepState {
  table: SweepTable;
  sortBy: string;
  descending: boolean;
  /** Numbers of the trials that are chosen to be compared, in the order in which they were. */
  chosen: readonly number[];
  panels: Panels | null;
  /** The sweep as a line of Python, once it was asked for. */
  code: Code | null;
  problem: Problem | null;
  /** The kernel owes an answer and has said nothing for some seconds. */
  silent: boolean;
}

export interface SweepCommands {
  sort(column: string): void;
  choose(number: number, chosen: boolean): void;
  /** Shows trials in the panels; none: closes them. */
  show(numbers: readonly number[]): void;
  cancel(): void;
  /** Asks for all of this as a line of Python. */
  askCode(): void;
}

export interface SweepSession {
  readonly store: Store<SweepState>;
  commands: SweepCommands;
  /** A view shows this session; returns the function that ends it. */
  join(): () => void;
  destroy(): void;
}

export function createSweepSession(
  model: AnyModel<SweepTraits>,
  clock: Clock = browserClock,
  visibility: Visibility = pageVisibility,
): SweepSession {
  const client = randomName();
  const audience = createAudience(visibility);
  let inner: InnerModel<Traits & ComparisonTraits> | null = null;
  const talk = createTalk<SweepTraits, ToSweep>(
    model,
    clock,
    () => update({ silent: true }),
    (error) => update({ problem: unreadable(error) }),
  );
  const store = createStore<SweepState>({
    table: model.get("_table"),
    sortBy: model.get("sort_by"),
    descending: model.get("descending"),
    chosen: [],
    panels: null,
    code: null,
    problem: null,
    silent: false,
  });
  const { update } = store;

  const requests = createRequests({
    client,
    send: talk.send,
    wanted: () => false,
    following: () => !store.state.table.finished,
    onSilence: () => update({ silent: true }),
    clock,
    visibility: audience,
  });

  function heard() {
    talk.heard();
    requests.heard();
    if (store.state.silent) update({ silent: false });
  }

  function openPanels() {
    store.state.panels?.showing.destroy();
    inner = null;
    const { id, numbers, state: traits } = model.get("_opened");
    if (!traits) return update({ panels: null });
    const made = createInnerModel(traits as Traits & ComparisonTraits, (data) => {
      model.send({ kind: "relay", id, data } satisfies ToSweep);
    });
    inner = made;
    const showing =
      "_sides" in traits
        ? showComparison(made.model as unknown as AnyModel<ComparisonTraits>)
        : showRun(made.model as unknown as AnyModel<Traits>);
    update({ panels: { id, numbers, showing } });
  }

  function onMessage(message: FromSweep, buffers: Bytes[] = []) {
    heard();
    requireForm(message, OF_SWEEP);
    switch (message.kind) {
      case "rows":
        takeRows(store.state.table, message.rows);
        store.state.table.finished = message.finished;
        update({ table: store.state.table });
        return requests.ended(message.client, message.seq, false);
      case "relay":
        if (message.id === store.state.panels?.id) inner?.receive(message.data, buffers);
        return;
      case "code":
        return message.client === client ? update({ code: { line: message.line } }) : undefined;
      case "refused":
        return update({ problem: { message: message.message, hint: "" } });
      case "error":
        requests.failed();
        return update({ problem: message });
      default:
        message satisfies never;
    }
  }

  talk.on("msg:custom", onMessage);
  talk.on("change:_table", () => update({ table: model.get("_table") }));
  talk.on("change:_opened", () => {
    heard();
    openPanels();
  });
  talk.on("change:sort_by", () => update({ sortBy: model.get("sort_by") }));
  talk.on("change:descending", () => update({ descending: model.get("descending") }));
  openPanels();

  return {
    store,
    commands: {
      sort(column) {
        model.set("descending", column === store.state.sortBy && !store.state.descending);
        model.set("sort_by", column);
        model.save_changes();
      },
      choose(number, chosen) {
        const others = store.state.chosen.filter((one) => one !== number);
        update({ chosen: chosen ? [...others, number] : others });
      },
      show(numbers) {
        update({ problem: null });
        talk.command({ kind: "show", numbers: [...numbers] });
      },
      cancel: () => talk.command({ kind: "cancel" }),
      askCode: () => talk.command({ kind: "code", client }),
    },
    join: audience.join,
    destroy() {
      requests.destroy();
      talk.destroy();
      store.state.panels?.showing.destroy();
    },
  };
}
