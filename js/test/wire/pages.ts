/**
 * Pages without a browser: the real sessions, over models that a test drives by commands. Time passes only when it is
 * told to.
 */

import type { Visibility } from "../../src/browser/clock";
import type { ComparisonTraits } from "../../src/protocol/comparison_contract";
import type { Choices, Setting, SettingValue, Traits } from "../../src/protocol/contract";
import type { Place } from "../../src/state/details";
import { fakeClock, fakeVisibility } from "../fakes";
import { type Path, type Spoken, withBuffers } from "./host_model";
import { openComparison, openRun, openServed, type Page } from "./kinds";
import { look } from "./look";

type State = { buffers: string[]; paths: Path[] };
type Command =
  | (State & { do: "open"; page: string; kind: "run"; state: Traits })
  | (State & { do: "open"; page: string; kind: "comparison"; state: ComparisonTraits })
  | { do: "open"; page: string; kind: "served"; traits: Traits; texts: string }
  | { do: "answer"; page: string; post: number; body: string | null }
  | (State & { do: "update"; page: string; state: object })
  | { do: "close"; page: string }
  | { do: "join" | "leave"; page: string }
  | { do: "show"; page: string; visible: boolean }
  | { do: "deliver"; page: string; content: unknown; buffers: string[] }
  | { do: "ask"; page: string; name: "play" | "stop" | "reset" | "measureHorizon" }
  | { do: "step"; page: string; until: "batch" | "record" }
  | { do: "set"; page: string; name: Setting; value: SettingValue }
  | { do: "select"; page: string; batch: number | null }
  | { do: "choose"; page: string; name: keyof Choices; value: never }
  | { do: "want"; page: string; side: number; places: Place[] }
  | { do: "pass"; ms: number }
  | { do: "look"; page: string; places: Place[][] };
type Opening = Extract<Command, { do: "open" }>;

interface Opened extends Page {
  show(visible: boolean): void;
  views: (() => void)[];
}

const sent: (Spoken & { page: string })[] = [];
const clock = fakeClock();
const pages = new Map<string, Opened>();

async function openPage(command: Opening): Promise<Opened> {
  const { visibility, show } = fakeVisibility();
  const speak = (spoken: Spoken) => sent.push({ page: command.page, ...spoken });
  const opened = await openKind(command, speak, visibility);
  return { ...opened, show, views: [] };
}

function openKind(command: Opening, speak: (spoken: Spoken) => void, seen: Visibility): Page | Promise<Page> {
  switch (command.kind) {
    case "run":
      return openRun(withBuffers(command.state, command.paths, command.buffers), speak, clock.clock, seen);
    case "comparison":
      return openComparison(withBuffers(command.state, command.paths, command.buffers), speak, clock.clock, seen);
    case "served":
      return openServed(command.traits, command.texts, speak, clock.clock, seen);
  }
}

async function carryOut(command: Command): Promise<unknown> {
  if (command.do === "pass") return clock.pass(command.ms);
  if (command.do === "open") {
    pages.set(command.page, await openPage(command));
    return null;
  }
  const page = pages.get(command.page);
  if (!page) throw new Error(`there is no page ${command.page}`);
  const { sessions, commands, views } = page;
  switch (command.do) {
    case "close":
      page.destroy();
      pages.delete(command.page);
      return null;
    case "join":
      views.push(page.join());
      return null;
    case "leave":
      views.pop()?.();
      return null;
    case "show":
      return page.show(command.visible);
    case "deliver":
      return page.deliver?.(command.content, command.buffers);
    case "update":
      return page.update?.(withBuffers(command.state, command.paths, command.buffers));
    case "answer":
      page.answer?.(command.post, command.body);
      return new Promise((resolve) => setTimeout(() => resolve(null))); // until it was heard
    case "ask":
      return commands[command.name]?.();
    case "step":
      return commands.step(command.until);
    case "set":
      return commands.set?.(command.name, command.value);
    case "select":
      return commands.select(command.batch);
    case "choose":
      return commands.choose(command.name, command.value);
    case "want":
      return sessions[command.side].want(page, command.places);
    case "look": {
      const sides = sessions.map((session, side) => look(session, command.places[side], page.copy(side)));
      return { sides, whole: page.whole() };
    }
  }
}

/** Carries out a command; gives what was asked for, and what pages have sent to the kernel. */
export async function answer(command: Command) {
  const found = (await carryOut(command)) ?? null;
  return { answer: found, sent: sent.splice(0) };
}
