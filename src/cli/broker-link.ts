import { resolve } from 'node:path';
import { readCredentials } from '../config/credentials.ts';
import type { Filter } from '../mqtt/greeting.ts';
import { createLink, type Link } from '../mqtt/link.ts';
import type { LinkEvent } from '../mqtt/link-report.ts';
import type { BrokerArguments, Terminal } from './command.ts';

const openTimeoutMs = 10_000;
const filesOfArguments = ['ca', 'cert', 'key'] as const;

/** The link of a tool: a random client id and a session that ends with it, so that nothing of it stays on the broker.
 * @throws ConfigError for a file that cannot be read, BrokerOptionsError for a URL that is none */
export function createToolLink(
  args: BrokerArguments,
  { filters = [], terminal }: { readonly filters?: readonly Filter[]; readonly terminal: Terminal },
): Link {
  const { broker: url, username } = args;
  const files = filesOfArguments.flatMap((name) => {
    const path = args[name];
    return path === undefined ? [] : [[name, resolve(path)] as const];
  });
  const settings = {
    url,
    protocol: 'auto' as const,
    ...(username !== undefined && { username }),
    ...Object.fromEntries(files),
  };
  return createLink({
    ...{ url, filters },
    ...readCredentials(settings),
    onEvent: sayChanges(terminal),
  });
}

/** Connects, or gives up in time: somebody waits.
 * @throws BrokerConnectionError, BrokerRefusedError */
export function openToolLink(link: Link): Promise<void> {
  return link.open({ timeoutMs: openTimeoutMs });
}

/** Before the first connection the error of `open` says all. */
function sayChanges({ log, warn }: Terminal): (event: LinkEvent) => void {
  let connected = false;
  return ({ kind, message }) => {
    connected ||= kind === 'connected';
    if (!connected) return;
    if (kind === 'connected') log(message);
    else warn(message);
  };
}
