/**
 * Pages without a browser: the real sessions, over models that a test drives by commands. Time passes only when it is
 * told to.
 */

import type { AnyModel } from "@anywidget/types";
import type { Choices, Setting, SettingValue, Traits } from "../../src/protocol/contract";
import { createSession, type Session } from "../../src/session/session";
import type { Place } from "../../src/state/details";
import { fakeClock, fakeVisibility } from "../fakes";

type Command =
  | { do: "open"; page: string; state: Partial<Traits>; buffers: string[]; paths: Path[] }
  | { do: "close"; page: string }
  | { do: "join" | "leave"; page: string }
  | { do: "show"; page: string; visible: boolean }
  | { do: "deliver"; page: string; content: unknown; buffers: string[] }
  | { do: "update"; page: string; state: Partial<Traits>; buffers: string[]; paths: Path[] }
  | { do: "ask"; page: string; name: "play" | "stop" | "reset" | "measureHorizon" }
  | { do: "step"; page: string; until: "batch" | "record" }
  | { do: "set"; page: string; name: Setting; value: SettingValue }
  | { do: "select"; page: string; batch: number | null }
  | { do: "choose"; page: string; name: keyof Choices; value: never }
  | { do: "want"; page: string; places: Place[] }
  | { do: "pass"; ms: number }
  | { do: "look"; page: string; places: Place[] };

/** Where in the state a buffer belongs. */
type Path = (string | number)[];
/** What a page sends: a message, or traits that it has changed. */
type Sent = { page: string; message: unknown } | { page: string; state: Record<string, unknown> };

const sent: Sent[] = [];
const clock = fakeClock();
const pages = new Map<string, ReturnType<typeof openPage>>();

const bytes = (text: string) =>
  new DataView(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);

/** Puts buffers where the state had them, as hosts do. */
function withBuffers(state: Record<string, unknown>, paths: Path[], buffers: string[]) {
  paths.forEach((path, index) => {
    let at = state as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
    at[path[path.length - 1]] = bytes(buffers[index]);
  });
  return state;
}

function openPage(page: string, traits: Record<string, unknown>) {
  const listeners = new Map<string, Set<(...args: unknown[]) => void>>();
  let unsaved: Record<string, unknown> = {};
  const emit = (event: string, ...args: unknown[]) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...args);
  };
  const model = {
    get: (name: string) => traits[name],
    set(name: string, value: unknown) {
      traits[name] = value;
      unsaved[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {
      sent.push({ page, state: unsaved });
      unsaved = {};
    },
    send: (message: unknown) => sent.push({ page, message: structuredClone(message) }),
    on: (event: string, listener: () => void) =>
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener)),
    off: (event: string, listener: () => void) => listeners.get(event)?.delete(listener),
  } as unknown as AnyModel<Traits>;
  const { visibility, show } = fakeVisibility();
  const session = createSession(model, clock.clock, visibility);
  return {
    session,
    emit,
    show,
    views: [] as (() => void)[],
    epoch: () => (traits._run as Traits["_run"]).epoch,
    update(state: Record<string, unknown>) {
      for (const [name, value] of Object.entries(state)) {
        traits[name] = value;
        emit(`change:${name}`);
      }
    },
  };
}

const COLUMNS = ["loss", "grad_norm", "horizon_length", "max:W_hh", "mean:W_hh"];

/** What a view would draw. */
function look({ store, missing }: Session, places: Place[], epoch: unknown) {
  const { run, recorded, completing, silent, problem, playing, settings, status, selected, stream, surface } =
    store.state;
  const held = places.map((place) => {
    if (!run.details.has(place)) return { held: false, missing: missing(place) };
    const snapshot = run.details.get(place);
    if (!snapshot) return { held: true };
    const pieces = snapshot.surfaces.map((name) => [name, [...snapshot.items(name, "norm").pieces]]);
    return { held: true, loss: [...snapshot.loss], pieces: Object.fromEntries(pieces) };
  });
  return {
    epoch,
    batches: [...run.batches()],
    columns: Object.fromEntries(COLUMNS.map((name) => [name, [...run.series(name).values()]])),
    places: held,
    state: { recorded, completing, silent, problem, playing, settings, status, selected, stream, surface },
  };
}

function carryOut(command: Command): unknown {
  if (command.do === "pass") return clock.pass(command.ms);
  if (command.do === "open") {
    pages.set(command.page, openPage(command.page, withBuffers(command.state, command.paths, command.buffers)));
    return null;
  }
  const page = pages.get(command.page);
  if (!page) throw new Error(`there is no page ${command.page}`);
  const { session, views } = page;
  switch (command.do) {
    case "close":
      session.destroy();
      pages.delete(command.page);
      return null;
    case "join":
      views.push(session.join());
      return null;
    case "leave":
      views.pop()?.();
      return null;
    case "show":
      return page.show(command.visible);
    case "deliver":
      return page.emit("msg:custom", command.content, command.buffers.map(bytes));
    case "update":
      return page.update(withBuffers(command.state, command.paths, command.buffers));
    case "ask":
      return session.commands[command.name]();
    case "step":
      return session.commands.step(command.until);
    case "set":
      return session.commands.set(command.name, command.value);
    case "select":
      return session.commands.select(command.batch);
    case "choose":
      return session.commands.choose(command.name, command.value);
    case "want":
      return session.want(page, command.places);
    case "look":
      return look(session, command.places, page.epoch());
  }
}

/** Carries out a command; gives what was asked for, and what pages have sent to the kernel. */
export function answer(command: Command) {
  const found = carryOut(command) ?? null;
  return { answer: found, sent: sent.splice(0) };
}
