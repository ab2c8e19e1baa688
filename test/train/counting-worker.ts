// A thread of team.test.ts: counts the tasks that it did, and fails at every group.
import { workerData } from 'node:worker_threads';
import { serve, type WorkerData } from '../../src/train/team.ts';

const { control, thread, training } = workerData as WorkerData<{ counts: Int32Array }>;
serve(
  control,
  {
    shard: (task) => {
      Atomics.add(training.counts, task, 1);
    },
    group: (task) => {
      throw new Error(`no group ${task}`);
    },
  },
  thread,
);
