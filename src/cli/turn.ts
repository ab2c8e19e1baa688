/** When to work next: in the next turn of the event loop, or after a time; never twice. */
export interface Turn {
  soon(): void;
  /** Unless it is soon anyway. */
  after(waitMs: number): void;
  cancel(): void;
}

/** A timer that is set to more fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

export function createTurn(work: () => void): Turn {
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    if (immediate) return;
    clearTimeout(timer);
    immediate = setImmediate(() => {
      immediate = undefined;
      work();
    });
  };
  return {
    soon,
    after(waitMs) {
      if (immediate || waitMs === Number.POSITIVE_INFINITY) return;
      clearTimeout(timer);
      timer = setTimeout(soon, Math.min(waitMs, longestTimerMs));
    },
    cancel() {
      clearImmediate(immediate);
      clearTimeout(timer);
      immediate = undefined;
    },
  };
}
