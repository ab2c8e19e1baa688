// npm run test:chaos -- --kills N --seed S [--json]
import { parseArgs } from 'node:util';
import { longestStopMs, runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (Number.isInteger(kills) && kills >= 0 && Number.isInteger(seed)) {
  const report = await runChaos({ kills, seed, say: (line) => console.error(line) });
  const { lost, doubled, wrongStates, wrongForecasts, miscounted, slowestStopMs } = report;
  if (values.json) console.log(JSON.stringify(report));
  else for (const [name, value] of Object.entries(report)) console.log(name, value);
  const isWrong = lost + doubled + wrongStates + wrongForecasts + miscounted > 0;
  if (isWrong || slowestStopMs > longestStopMs) process.exitCode = 1;
} else {
  console.error(`chaos: found --kills ${values.kills} --seed ${values.seed}, expected whole numbers`);
  process.exitCode = 2;
}
