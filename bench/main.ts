import { benchAccuracy } from './accuracy.ts';
import { benchBaselines } from './baselines.ts';
import { helps } from './help.ts';
import { benchKernel } from './kernel.ts';
import { benchMemory } from './memory.ts';
import { benchPeers } from './peers.ts';
import { benchRecovery } from './recovery.ts';
import { benchService } from './service.ts';
import { benchTrain } from './train.ts';

/** npm run bench -- NAME [options] */
const benches: { readonly [name in keyof typeof helps]: (args: readonly string[]) => unknown } = {
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
const wantsHelp = process.argv.includes('--help');
if (isBench(name)) {
  if (wantsHelp) console.log(`npm run bench -- ${name} [options]\n${helps[name]}`);
  else await run(name, args);
} else if (wantsHelp) {
  const texts = Object.entries(helps).map(([bench, help]) => `== ${bench}${help}`);
  console.log(`npm run bench -- NAME [options]\n\n${texts.join('\n\n')}`);
} else {
  const names = Object.keys(benches).join(', ');
  console.error(`${name === '' ? 'no bench named' : `no bench ${name}`}; there is: ${names}; see --help`);
  process.exitCode = 2;
}

function isBench(text: string): text is keyof typeof benches {
  return Object.hasOwn(benches, text);
}

async function run(bench: keyof typeof benches, options: readonly string[]): Promise<void> {
  try {
    await benches[bench](options);
  } catch (error) {
    if (!isMistake(error)) throw error;
    console.error(`bench ${bench}: ${error.message}`);
    process.exitCode = 2;
  }
}

/** Wrong arguments or missing data, not a defect of ours. */
function isMistake(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return ['ArgumentError', 'DataError'].includes(error.name) || code.startsWith('ERR_PARSE_ARGS');
}
