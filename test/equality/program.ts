// Steps every model of a folder and nyc-weather over its test part, as a device would, and prints what came out. It is
// bundled into one file, so that any build of Node runs it: node program.mjs FOLDER MODEL.pb DATA.csv
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset } from '../../src/data/load.ts';
import { loadModel } from '../../src/engine/engine.ts';
import { fasterPacking } from '../../src/kernels/packing.ts';
import { hasSimd } from '../../src/kernels/wasm.ts';
import type { Outcome } from './machine.ts';
import { walkRandom, walkTestPart } from './walk-model.ts';

const [folder, modelFile, dataFile] = process.argv.slice(2);
const hashes: Record<string, string> = {};
for (const name of readdirSync(folder)) {
  const engine = await loadModel(readFileSync(join(folder, name)));
  hashes[name] = walkRandom(engine, Number.parseInt(name, 10));
}
const weather = await loadModel(readFileSync(modelFile));
const { names, periodMs } = weather.model.input;
const dataset = loadDataset(dataFile, { features: names, time: 'time_hour', stream: 'origin', periodMs });
hashes['nyc-weather'] = walkTestPart(weather, dataset);
const { arch, versions } = process;
const chosen = hasSimd() ? fasterPacking() : 'packed';
console.log(JSON.stringify({ node: versions.node, arch, chosen, hashes } satisfies Outcome));
