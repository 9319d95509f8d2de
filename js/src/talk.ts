/** What a session says to its kernel, and whether it is heard: used where several runs, or trials, have one model. */

import type { Clock } from "./clock";
import { SILENCE_MS } from "./requests";

export interface Talk<Message> {
  /** Gives whether it was sent: hosts throw once the notebook is closed or its kernel is gone. */
  send(message: Message): boolean;
  /** Sends what a person asked for: an answer is expected. */
  command(message: Message): void;
  /** Any sign of life from the kernel. */
  heard(): void;
  destroy(): void;
}

/** `post` sends a message; `onSilence` is told when it cannot be sent, or nothing is heard after a command. */
export function createTalk<Message>(
  post: (message: Message) => void,
  onSilence: () => void,
  clock: Clock,
): Talk<Message> {
  let cancelTimer = () => {};

  function send(message: Message): boolean {
    try {
      post(message);
      return true;
    } catch {
      onSilence();
      return false;
    }
  }

  return {
    send,
    command(message) {
      if (!send(message)) return;
      cancelTimer();
      cancelTimer = clock.after(SILENCE_MS, onSilence);
    },
    heard: () => cancelTimer(),
    destroy: () => cancelTimer(),
  };
}
