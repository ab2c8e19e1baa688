import { setTimeout as sleep } from 'node:timers/promises';

/** Before a disk that takes nothing is tried again. */
const againMs = 5_000;

export interface DiskRetryOptions {
  /** Told of the first failure. */
  readonly onTrouble: (error: Error) => void;
  /** Aborted when the service stops: then it is tried once more, at once. */
  readonly signal: AbortSignal;
}

/** Does what the disk may refuse, again and again until it is done.
 * @returns whether it is */
export async function untilDiskTakes(
  work: () => void | Promise<void>,
  { onTrouble, signal }: DiskRetryOptions,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (attempt === 1) onTrouble(error as Error);
    }
    await sleep(againMs, undefined, { signal }).catch(() => {});
  }
}
