/** A model's talk with its kernel, whatever widget it is of: what is listened to, what a person asks for, and silence. */

import type { AnyModel } from "@anywidget/types";
import type { Clock } from "../browser/clock";
import type { ToKernel } from "../protocol/contract";
import { asProblem } from "../state/store";
import { type Requests, SILENCE_MS } from "./requests";

/** `T`: the model's traits; `Message`: what its kernel is told. */
export interface Talk<T, Message extends object = ToKernel> {
  /** Listens until `destroy`. */
  on(event: `change:${keyof T & string}` | "msg:custom", listener: (...args: never[]) => void): void;
  /** Gives whether it was sent: hosts throw once the notebook is closed or its kernel is gone. */
  canSend(message: Message): boolean;
  /** Sends what the person asked for: that it cannot be sent is said. */
  send(message: Message): boolean;
  /** Sends what is to be answered. */
  command(message: Message): void;
  /** Any sign of life from the kernel. */
  heard(): void;
  set<K extends keyof T>(name: K, value: T[K]): void;
  destroy(): void;
}

/** What is said of something that arrived and could not be taken in. */
export const unreadable = (error: unknown) => asProblem("A part of the run could not be read.", error);

/** What a person can ask for, of one run or of several. */
export interface TrainingCommands {
  play(): void;
  stop(): void;
  step(until: "batch" | "record"): void;
  reset(): void;
  select(batch: number | null): void;
}

/** `onFailure` is told of what listeners throw: what arrives may not be what it should be. */
export function createTalk<T extends object, Message extends object = ToKernel>(
  model: AnyModel<T>,
  clock: Clock,
  onSilence: () => void,
  onFailure: (error: unknown) => void,
): Talk<T, Message> {
  const cleanups: (() => void)[] = [];
  let cancelAnswerTimer = () => {};

  function canSend(message: Message): boolean {
    try {
      model.send(message);
      return true;
    } catch {
      return false;
    }
  }

  function send(message: Message): boolean {
    const sent = canSend(message);
    if (!sent) onSilence();
    return sent;
  }

  return {
    on(event, listener) {
      const callback = (...args: unknown[]) => {
        try {
          listener(...(args as never[]));
        } catch (error) {
          onFailure(error);
        }
      };
      model.on(event as "msg:custom", callback);
      cleanups.push(() => model.off(event as "msg:custom", callback));
    },
    canSend,
    send,
    command(message) {
      if (!send(message)) return;
      cancelAnswerTimer();
      cancelAnswerTimer = clock.after(SILENCE_MS, onSilence);
    },
    heard: () => cancelAnswerTimer(),
    set(name, value) {
      model.set(name, value);
      model.save_changes();
    },
    destroy() {
      cancelAnswerTimer();
      for (const cleanup of cleanups) cleanup();
    },
  };
}

export function trainingCommands<T extends { selected: number | null }>(
  talk: Talk<T>,
  requests: Requests,
): TrainingCommands {
  return {
    play: () => talk.command({ kind: "play" }),
    stop: () => talk.command({ kind: "stop" }),
    step: (until) => requests.step(until),
    reset: () => talk.command({ kind: "reset" }),
    select: (batch) => talk.set("selected", batch as T["selected"]),
  };
}
