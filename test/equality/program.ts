// Steps every model of a folder and nyc-weather over its test part, as a device would, and prints what came out. It is
// bundled into one file, so that any build of Node runs it: node program.mjs FOLDER MODEL.pb DATA.csv
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset } from '../../src/data/load.ts';
import { loadModel } from '../../src/engine/engine.ts';
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
console.log(JSON.stringify({ node: process.versions.node, arch: process.arch, hashes }));
