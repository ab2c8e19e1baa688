import { parseArgs } from 'node:util';
import { readCount, readCounts } from './arguments.ts';
import { errorSteps, type ModelErrors, measureErrors } from './int8-error.ts';
import { writePeers } from './peers-report.ts';
import { compareWith, type Measure, printMeasures } from './rounds.ts';
import { asOnnx, compileStep, startStepPeer } from './step-peer.ts';
import { openTeam } from './step-run.ts';
import { measureShape, type ShapeTimes, type StepTime } from './step-shapes.ts';

const options = {
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '7' },
  hidden: { type: 'string', default: '16,32,64,128,256' },
  streams: { type: 'string', default: '1,10,1000,10000' },
} as const;
/** The H of all goals. */
const GOAL_HIDDEN = 64;
/** What the C step has to reach before a ratio to it means something, in 10^9 multiply-adds a second. */
const C_FLOOR = 55;

/** The time step beside everything that a user would pick instead, all in turns, and what int8 costs beside
 * onnxruntime's. The JavaScript peers come from `npm ci --prefix bench/peers`; PYTHON names the interpreter that has
 * torch and ai-edge-litert; gcc compiles the step in C. Who is not there is left out, with a line that says so. */
export async function benchPeers(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = readCount('rounds', values.rounds);
  const hiddens = readCounts('hidden', values.hidden);
  const streamCounts = readCounts('streams', values.streams);
  const python = process.env.PYTHON ?? 'python3';
  const peers = {
    onnx: await startStepPeer(process.execPath, 'step-onnx.mjs', asOnnx),
    tfjs: await startStepPeer(process.execPath, 'step-tfjs.mjs'),
    torch: await startStepPeer(python, 'step_torch.py'),
    litert: await startStepPeer(python, 'step_litert.py'),
    c: compileStep(),
    team: await openTeam(),
  };
  if (!peers.onnx || !peers.tfjs)
    console.error('npm ci --prefix bench/peers installs onnxruntime-node and tfjs');
  if (!peers.torch || !peers.litert)
    console.error('PYTHON names an interpreter that has torch, ai-edge-litert and numpy');
  const shapes: ShapeTimes[] = [];
  let errors: ModelErrors[] = [];
  try {
    for (const hidden of hiddens) {
      for (const streams of streamCounts) {
        const shape = await measureShape(peers, { hidden, streams, rounds });
        shapes.push(shape);
        printShape(shape);
      }
    }
    if (peers.onnx) errors = await measureErrors(peers.onnx);
  } finally {
    for (const peer of Object.values(peers)) peer?.close();
  }
  const measures = [...shapes.flatMap(compareShape), ...compareErrors(errors)];
  if (values.write) await writePeers({ measures, shapes, errors });
  if (values.json) console.log(JSON.stringify({ measures, shapes, errors }));
  else printMeasures(measures, false);
}

/** The goals of inference, of the shapes that have one. */
function compareShape({ hidden, streams, rows }: ShapeTimes): Measure[] {
  const fastest = (...teams: readonly StepTime['team'][]): StepTime | undefined =>
    rows.filter(({ team }) => teams.includes(team)).sort((left, right) => left.us - right.us)[0];
  const ours = fastest('cellstream');
  if (ours === undefined || hidden !== GOAL_HIDDEN) return [];
  const perSecond = ({ us }: StepTime) => 1e6 / us;
  const measures: Measure[] = [];
  const onnx = streams === 1 ? fastest('onnx int8', 'onnx float32') : fastest('onnx int8');
  if (onnx && streams === 1) {
    const name = `int8 step H=64, one stream, steps/s, beside ${onnx.name}`;
    const goal = { must: 15, aim: 25, lowerIsBetter: false };
    measures.push(compareWith(name, perSecond(ours), perSecond(onnx), goal));
  }
  if (onnx && streams === 1000) {
    const name = `int8 step H=64, 1000 streams, stream-steps/s, beside ${onnx.name}`;
    const goal = { must: 1, aim: 1.2, lowerIsBetter: false };
    measures.push(compareWith(name, perSecond(ours), perSecond(onnx), goal));
  }
  const [c, products] = [fastest('c'), fastest('c products')];
  if (c && products && products.gmacs >= C_FLOOR) {
    const name = `int8 step H=64, one stream, us a step, beside ${c.name}`;
    measures.push(compareWith(name, ours.us, c.us, { must: 2.5, aim: 1.7, lowerIsBetter: true }));
  } else if (products) {
    console.error(`no ratio to C: its products reach ${products.gmacs} GMAC/s, expected at least ${C_FLOOR}`);
  }
  return measures;
}

/** Geometric means over the models: no one of them decides. */
function compareErrors(errors: readonly ModelErrors[]): Measure[] {
  if (errors.length === 0) return [];
  const mean = (values: readonly number[]) =>
    Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  return errorSteps.flatMap((steps, i) =>
    (['h', 'y'] as const).map((part) =>
      compareWith(
        `int8 error of ${part} over ${steps} steps, geometric mean of ${errors.length} models, beside onnxruntime int8`,
        mean(errors.map(({ ours }) => ours[i][part])),
        mean(errors.map(({ onnx }) => onnx[i][part])),
        { must: 1, aim: 0.5, lowerIsBetter: true },
      ),
    ),
  );
}

/** As soon as it is there: the whole bench takes minutes. */
function printShape({ hidden, streams, rows }: ShapeTimes): void {
  for (const { name, us } of rows)
    console.error(`H=${hidden}, ${streams} ${streams === 1 ? 'stream' : 'streams'}: ${name} ${us} us a step`);
}
