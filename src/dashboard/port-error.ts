/** The page cannot be served at this host and port. The message is one line: found, expected, a fix. */
export class DashboardPortError extends Error {
  override readonly name = 'DashboardPortError';
}

const found: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is already in use, expected a free port; stop the other program or choose another port',
  EACCES: 'may not be opened by this user, expected a port from 1024 on; choose another port',
  EADDRNOTAVAIL:
    'is no address of this machine, expected one of its own; choose another host, such as 127.0.0.1',
  ENOTFOUND:
    'has an unknown host, expected an address of this machine; choose another host, such as 127.0.0.1',
};

/** What `listen` failed with, in words; anything else stays as it is. */
export function describeListenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = found[code];
  return what ? new DashboardPortError(`dashboard: ${host}:${port} ${what}`, { cause: error }) : error;
}
