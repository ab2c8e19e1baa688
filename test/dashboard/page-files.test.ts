import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtPage, servedFiles, startBuilt } from './built.ts';
import { inventService } from './invented-view.ts';

test('every file of the page is served as what it is, and uPlot beside it', async () => {
  const dashboard = await startBuilt({ source: inventService().source, targets: 1, port: 0 });
  const types: Readonly<Record<string, string>> = {
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    svg: 'image/svg+xml',
  };
  for (const file of [...servedFiles(), 'uplot.js', 'uplot.css']) {
    const response = await fetch(new URL(file, dashboard.url));
    const found = { file, status: response.status, type: response.headers.get('content-type') };
    expect(found).toEqual({ file, status: 200, type: types[file.split('.').at(-1) ?? ''] });
    const isOurs = !file.startsWith('uplot');
    const text = await response.text();
    if (isOurs) expect(text).toBe(readFileSync(join(builtPage, file), 'utf8'));
    else expect(text).toContain(file === 'uplot.js' ? 'var uPlot=' : '.uplot');
  }
  await dashboard.close();
});

test('the page names only files that are there', () => {
  const html = readFileSync(join(builtPage, 'index.html'), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, file]) => file);
  const there = [...servedFiles(), 'uplot.js', 'uplot.css'];
  expect(named.filter((file) => !there.includes(file))).toEqual([]);
  expect(named.length).toBeGreaterThan(5);
});

test('a script of the page imports only scripts of the page', () => {
  const scripts = servedFiles().filter((file) => file.endsWith('.js'));
  expect(scripts).toContain('main.js');
  for (const file of scripts) {
    const text = readFileSync(join(builtPage, file), 'utf8');
    const imported = [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
      ([, name]) => name,
    );
    expect(imported.filter((name) => !scripts.includes(name.replace(/^\.\//, '')))).toEqual([]);
  }
});

test('no file of the page names another host, or turns text into HTML', () => {
  for (const file of [...servedFiles(), 'index.html']) {
    const text = readFileSync(join(builtPage, file), 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
    expect(text).not.toMatch(/https?:\/\/|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
  }
});
