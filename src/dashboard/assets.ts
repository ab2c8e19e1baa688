import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** Changes with the content. */
  readonly etag: string;
}

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** The page's files. No path of a request reaches the file system: what is not named here is not there. */
const pageFiles = [
  'page.css',
  'overview.css',
  'chart.css',
  'streams.css',
  'favicon.svg',
  'main.js',
  'announcer.js',
  'calm-range.js',
  'chart-data.js',
  'chart-drawing.js',
  'chart-panel.js',
  'chart.js',
  'choice.js',
  'connection.js',
  'detail-heading.js',
  'detail.js',
  'element.js',
  'format.js',
  'health.js',
  'horizon-choice.js',
  'horizon-errors.js',
  'legend.js',
  'notices.js',
  'overview.js',
  'readings.js',
  'row.js',
  'sentence.js',
  'streams.js',
  'theme.js',
] as const;

const routes: ReadonlyMap<string, () => string> = new Map([
  ['/', () => pagePath('index.html')],
  ...pageFiles.map((file) => [`/${file}`, () => pagePath(file)] as const),
  ['/uplot.js', () => uplotPath('uPlot.iife.min.js')],
  ['/uplot.css', () => uplotPath('uPlot.min.css')],
]);
const read = new Map<string, Promise<Asset>>();

/** The file of a route, read when it is first asked for; undefined when there is no such route. */
export function findAsset(route: string): Promise<Asset> | undefined {
  const path = routes.get(route);
  if (!path) return undefined;
  let asset = read.get(route);
  if (!asset) {
    asset = readAsset(path());
    read.set(route, asset);
    // a file that could not be read may be there the next time
    asset.catch(() => read.delete(route));
  }
  return asset;
}

async function readAsset(path: string): Promise<Asset> {
  const body = await readFile(path);
  const extension = path.slice(path.lastIndexOf('.') + 1) as keyof typeof types;
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { type: types[extension], body, etag: `"${hash}"` };
}

function pagePath(file: string): string {
  return fileURLToPath(new URL(`page/${file}`, import.meta.url));
}

function uplotPath(file: string): string {
  const manifest = createRequire(import.meta.url).resolve('uplot/package.json');
  return join(dirname(manifest), 'dist', file);
}
