import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

/** Polls; fails with the condition's own text where it never holds. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) expect.fail(`not in ${timeoutMs} ms: ${condition}`);
    await sleep(5);
  }
}
