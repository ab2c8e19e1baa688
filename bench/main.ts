import { benchAccuracy } from './accuracy.ts';
import { benchBaselines } from './baselines.ts';
import { benchKernel } from './kernel.ts';
import { benchMemory } from './memory.ts';
import { benchPeers } from './peers.ts';
import { benchRecovery } from './recovery.ts';
import { benchService } from './service.ts';
import { benchTrain } from './train.ts';

/** npm run bench -- NAME [options] */
const benches: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  accuracy: benchAccuracy,
  baselines: benchBaselines,
  kernel: benchKernel,
  memory: benchMemory,
  peers: benchPeers,
  recovery: benchRecovery,
  service: benchService,
  train: benchTrain,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  console.error(
    `${name === '' ? 'no bench named' : `no bench ${name}`}; there is: ${Object.keys(benches).join(', ')}`,
  );
  process.exitCode = 2;
} else {
  try {
    await bench(args);
  } catch (error) {
    if (!isMistake(error)) throw error;
    console.error(`bench ${name}: ${error.message}`);
    process.exitCode = 2;
  }
}

/** Wrong arguments or missing data, not a defect of ours. */
function isMistake(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return ['ArgumentError', 'DataError'].includes(error.name) || code.startsWith('ERR_PARSE_ARGS');
}
