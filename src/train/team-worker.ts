// A thread of a training: lays out the same arrays in the same memory and does tasks until the team closes.
import { workerData } from 'node:worker_threads';
import { createSimdTrainingKernel } from '../kernels/training-simd.ts';
import { layOutTraining, type SharedTraining } from './layout.ts';
import { serve, type WorkerData } from './team.ts';

const { control, thread, training } = workerData as WorkerData<SharedTraining>;
const { topology, runs, plan, memory } = training;
const { tasks } = layOutTraining(createSimdTrainingKernel(memory, thread), topology, runs, plan);
serve(control, tasks, thread);
