// A thread of a step team: the same module over the same memory, with a scratch of its own.
import { workerData } from 'node:worker_threads';
import { type StepWorkerData, serveSteps } from './step-team.ts';
import { instantiate } from './wasm.ts';

const { control, module, memory, plan, scratch } = workerData as StepWorkerData;
const { wasm } = instantiate(module, memory);
wasm.prepare(...scratch);
serveSteps(control, (from, to) => wasm.step(plan, from, to));
