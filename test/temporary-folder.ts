import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives a run of the tests a temporary folder of its own, gone with it. A short name: sockets lie in it. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'cs-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
