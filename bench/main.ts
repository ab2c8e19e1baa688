import { benchBaselines } from './baselines.ts';

/** npm run bench -- NAME [options] */
const benches: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  baselines: benchBaselines,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  console.error(
    `${name === '' ? 'no bench named' : `no bench ${name}`}; there is: ${Object.keys(benches).join(', ')}`,
  );
  process.exitCode = 2;
} else {
  await bench(args);
}
