import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Server = typeof import('../../src/dashboard/server.ts');

const built = new URL('../../dist/dashboard/', import.meta.url);

/** The server as it is shipped, with the page's scripts beside it; `npm test` has built it. */
export async function startBuilt(options: Parameters<Server['startDashboard']>[0]) {
  const path = fileURLToPath(new URL('server.js', built));
  const { startDashboard } = (await import(path)) as Server;
  return startDashboard(options);
}

export const builtPage = fileURLToPath(new URL('page/', built));

/** The page's files as they are served, index.html being the page itself. */
export function servedFiles(): string[] {
  return readdirSync(builtPage)
    .filter((file) => !file.endsWith('.d.ts') && file !== 'index.html')
    .sort();
}
