/** The kinds of pages: the real sessions, of a run, of several side by side, and of a file, over what a test drives. */

import type { Clock, Visibility } from "../../src/browser/clock";
import { type ComparisonSession, createComparisonSession } from "../../src/comparison/session";
import { expand } from "../../src/protocol/compact";
import type { ComparisonTraits, SideState } from "../../src/protocol/comparison_contract";
import type { Traits } from "../../src/protocol/contract";
import { createServedModel } from "../../src/session/server_talk";
import { type Commands, createSession, type Session } from "../../src/session/session";
import type { TrainingCommands } from "../../src/session/talk";
import { bytes, createHostModel, type Spoken } from "./host_model";

type Speak = (spoken: Spoken) => void;

/** What a page is, whatever it shows. */
export interface Page {
  /** Of the run, or of each side. */
  sessions: readonly Session[];
  /** A page of several runs has no settings, and measures no horizon. */
  commands: TrainingCommands & Pick<Commands, "choose"> & Partial<Commands>;
  /** The model's own copy of a side, which a notebook saves. */
  copy(side: number): Traits["_run"];
  /** What is told of all sides together. */
  whole(): unknown;
  join(): () => void;
  /** What hosts do. */
  deliver?(content: unknown, buffers: string[]): void;
  update?(state: object): void;
  /** What a server answers to a post, or null if it does not. */
  answer?(post: number, body: string | null): void;
  destroy(): void;
}

export function openRun(traits: Traits, speak: Speak, clock: Clock, seen: Visibility): Page {
  const { model, deliver, update } = createHostModel(traits, speak);
  const session = createSession(model, clock, seen);
  const { commands, join, destroy } = session;
  const copy = () => traits._run;
  return { sessions: [session], commands, copy, whole: () => null, join, deliver, update, destroy };
}

export function openComparison(traits: ComparisonTraits, speak: Speak, clock: Clock, seen: Visibility): Page {
  const { model, deliver, update } = createHostModel(traits, speak);
  const session = createComparisonSession(model, clock, seen);
  const { sides, join, destroy } = session;
  const commands = session.commands as unknown as Page["commands"];
  const copy = (side: number) => (traits[`_side_${side}` as "_side_0"] as SideState)._run;
  return { sessions: sides, commands, copy, whole: () => wholeOf(session), join, deliver, update, destroy };
}

/** `texts`: the recorded run as it stands in the page. */
export async function openServed(
  traits: Traits,
  texts: string,
  speak: Speak,
  clock: Clock,
  seen: Visibility,
): Promise<Page> {
  traits._run.chunks = (await Promise.all(texts.split(" ").map(expand))).flat();
  const asked: { resolve: (answer: ArrayBuffer) => void; reject: () => void }[] = [];
  const post = (body: string) =>
    new Promise<ArrayBuffer>((resolve, reject) => {
      speak({ post: asked.length, body });
      asked.push({ resolve, reject });
    });
  const model = createServedModel(traits, { post, reload: () => speak({ reload: true }) });
  const session = createSession(model, clock, seen);
  const { commands, join, destroy } = session;
  const copy = () => traits._run;
  const answer = (of: number, body: string | null) =>
    body === null ? asked[of].reject() : asked[of].resolve(bytes(body).buffer);
  return { sessions: [session], commands, copy, whole: () => null, join, answer, destroy };
}

function wholeOf({ store }: ComparisonSession) {
  const { sides, remarks, sentence, selected, stream, playing, problem, silent, measure } = store.state;
  return { sides, remarks, sentence, selected, stream, playing, problem, silent, measure };
}
