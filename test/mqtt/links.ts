import { onTestFinished, vi } from 'vitest';
import type { Delivery } from '../../src/mqtt/intake.ts';
import { createLink, type Link, type LinkOptions } from '../../src/mqtt/link.ts';
import type { LinkEvent } from '../../src/mqtt/link-report.ts';
import { until } from './until.ts';

/** A link and all that it said and heard. */
export interface TestLink {
  readonly link: Link;
  readonly events: readonly LinkEvent[];
  readonly deliveries: readonly Delivery[];
}

/** Not opened yet; closed when the test ends. */
export function makeLink(options: LinkOptions): TestLink {
  const events: LinkEvent[] = [];
  const deliveries: Delivery[] = [];
  const link = createLink({
    backOff: { firstMs: 20, maxMs: 100 },
    onEvent: (event) => events.push(event),
    ...options,
  });
  link.onMessage((delivery) => deliveries.push(delivery));
  onTestFinished(() => link.close({ timeoutMs: 200 }));
  return { link, events, deliveries };
}

export async function openLink(options: LinkOptions): Promise<TestLink> {
  const made = makeLink(options);
  await made.link.open({ timeoutMs: 10_000 });
  return made;
}

/** What it says when its time is over, which is as soon as it has tried once, however slow this machine is. */
export async function openInVain({ link, events }: TestLink): Promise<unknown> {
  const timeoutMs = 10_000;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const failed = link.open({ timeoutMs }).catch((error: unknown) => error);
    await until(() => events.length > 0);
    vi.advanceTimersByTime(timeoutMs);
    return await failed;
  } finally {
    vi.useRealTimers();
  }
}

/** Resolves when the broker has it. */
export function send(
  link: Link,
  topic: string,
  payload: string,
  { qos = 1, retain = false } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    link.publish(topic, payload, { qos: qos === 0 ? 0 : 1, retain }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

export function textOf({ payload }: { readonly payload: Uint8Array }): string {
  return Buffer.from(payload).toString();
}
