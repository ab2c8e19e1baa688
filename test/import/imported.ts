import { readFileSync } from 'node:fs';
import { type ImportSpec, loadImportSpec } from '../../src/config/import-spec.ts';
import { readNetwork } from '../../src/import/read-network.ts';
import { toModel } from '../../src/import/to-model.ts';

const folder = new URL('../fixtures/import/', import.meta.url);

/** What another program made of 200 frames: test/fixtures/import/make_fixtures.py. */
export interface PeerGolden {
  readonly features: number;
  readonly outputs: number;
  readonly means: readonly number[];
  readonly scales: readonly number[];
  /** [200, F], raw */
  readonly frames: Float32Array;
  /** [200, O], z-scores */
  readonly expected: Float32Array;
}

export function readWeights(file: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(file, folder)));
}

export function readGolden(file: string): PeerGolden {
  const name = file.replace(/\.\w+$/, '.json');
  const { means, scales, outputsPerFrame, frames, outputs } = JSON.parse(
    readFileSync(new URL(name, folder), 'utf8'),
  );
  const floats = (base64: string) => new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
  return {
    ...{ features: means.length, outputs: outputsPerFrame, means, scales },
    frames: floats(frames),
    expected: floats(outputs),
  };
}

/** The spec of a fixture: its outputs are steps of the first feature. */
export function specText(file: string, changes: Readonly<Record<string, string>> = {}): string {
  const { means, scales, outputs } = readGolden(file);
  const features = means.map((mean, k) => `{ name: f${k}, mean: ${mean}, scale: ${scales[k]} }`);
  const lines: Record<string, string> = {
    name: 'imported',
    features: `[${features.join(', ')}]`,
    target: 'f0',
    horizons: `[${outputs}]`,
    period: '1h',
    ...changes,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

function specOf(file: string, changes?: Readonly<Record<string, string>>): ImportSpec {
  return loadImportSpec(specText(file, changes), 'spec.yaml');
}

/** The float model of a fixture, still without golden vectors. */
export function importFixture(file: string, changes?: Readonly<Record<string, string>>) {
  const spec = specOf(file, changes);
  return toModel(readNetwork(readWeights(file), spec.weights), spec, { sha256: '', calibratedUntilMs: 0 });
}
