import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readPageToken } from '../../src/config/credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'cellstream-token-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'sixteen letters!\n');
afterAll(() => rmSync(folder, { recursive: true }));

describe('the token of the page', () => {
  test.each(['127.0.0.1', 'localhost', '::1', '127.0.1.1'])('is not needed on %s', (host) => {
    expect(readPageToken({ host }, {})).toBeUndefined();
  });

  test.each(['0.0.0.0', '::', '192.168.1.7', 'pi.local'])('is needed on %s, with the way out', (host) => {
    expect(() => readPageToken({ host }, {})).toThrow(
      `dashboard: whoever reaches ${host} would see the page; give it a token_file, or host: 127.0.0.1`,
    );
  });

  test('comes from its file without the line feed, or from the environment, which wins', () => {
    const host = '0.0.0.0';
    expect(readPageToken({ host, tokenFile }, {})).toBe('sixteen letters!');
    expect(readPageToken({ host, tokenFile }, { CELLSTREAM_PAGE_TOKEN: 'x'.repeat(20) })).toBe(
      'x'.repeat(20),
    );
    expect(readPageToken({ host }, { CELLSTREAM_PAGE_TOKEN_FILE: tokenFile })).toBe('sixteen letters!');
  });

  test('is refused when it is short, and never shown', () => {
    expect(() => readPageToken({ host: '::' }, { CELLSTREAM_PAGE_TOKEN: 'hunter2' })).toThrow(
      'dashboard: a token of 7 characters, expected at least 16',
    );
  });

  test('that cannot be read says which file', () => {
    expect(() => readPageToken({ host: '::', tokenFile: '/nowhere' }, {})).toThrow(
      'cannot read the token file /nowhere: there is no such file',
    );
  });
});
