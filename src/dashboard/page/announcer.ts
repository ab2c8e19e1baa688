import { setText } from './element.ts';

export interface Announcer {
  /** Another `subject` is said at once, news of the same one now and then. */
  say(subject: string, sentence: string): void;
}

/** A screen reader reads each change aloud: four a second would drown everything else. */
export function createAnnouncer(root: HTMLElement, periodMs = 15_000): Announcer {
  let last = { subject: '', atMs: Number.NEGATIVE_INFINITY };
  return {
    say(subject, sentence) {
      const nowMs = performance.now();
      if (subject === last.subject && nowMs - last.atMs < periodMs) return;
      last = { subject, atMs: nowMs };
      setText(root, sentence);
    },
  };
}
