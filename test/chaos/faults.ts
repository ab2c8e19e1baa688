import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../fixtures/random-model.ts';
import type { SmallDisk } from '../state/small-disk.ts';
import type { Part } from './plant.ts';
import type { Wire } from './wire.ts';

export interface FaultOptions {
  readonly service: Part;
  readonly broker: Part;
  readonly wire: Wire;
  readonly stateFolder: string;
  /** That of the state folder, where it has one of its own. */
  readonly disk: SmallDisk | undefined;
  readonly dice: Dice;
  /** No service runs. */
  readonly whileDown: () => Promise<void>;
  /** The service has ended after a SIGTERM. */
  readonly onStop: (tookMs: number) => Promise<void>;
}

export type FaultName = keyof ReturnType<typeof createFaults>;

/** A commit follows its readings by less. */
const longestCommitMs = 2_000;

/** What may happen to a plant; each resolves when all runs again. */
export function createFaults(options: FaultOptions) {
  const { service, broker, wire, stateFolder, disk, dice, whileDown, onStop } = options;

  async function restart(): Promise<void> {
    await whileDown();
    await sleep(dice.int(0, 300));
    await service.start();
  }

  return {
    async 'kill of the service'() {
      await service.end('SIGKILL');
      await restart();
    },
    /** From just before fdatasync to just after the acknowledgements. */
    async 'kill of the service in a commit'() {
      await nextWrite(stateFolder);
      await sleep(dice.int(0, 8));
      await service.end('SIGKILL');
      await restart();
    },
    async 'end of the service'() {
      const startMs = performance.now();
      const code = await service.end('SIGTERM');
      if (code !== 0) throw new Error(`the service ended with exit code ${code}, expected 0`);
      await onStop(performance.now() - startMs);
      await restart();
    },
    async 'restart of the broker'() {
      await broker.end('SIGTERM');
      await sleep(dice.int(0, 300));
      await broker.start();
    },
    async 'cut of the link'() {
      wire.cut();
    },
    async 'slow link'() {
      wire.delay(dice.int(20, 200));
      await sleep(dice.int(200, 1_000));
      wire.delay(0);
    },
    /** Now and then with a start in the middle of it. */
    async 'full disk'() {
      disk?.fill();
      await sleep(dice.int(200, 1_500));
      if (dice.chance(0.5)) {
        await service.end('SIGKILL');
        await restart();
      }
      disk?.empty();
    },
    pause: () => service.pause(dice.int(300, 1_500)),
  };
}

/** Resolves when a log file has grown, or there is none that grows. */
async function nextWrite(folder: string): Promise<void> {
  let watcher: FSWatcher | undefined;
  await Promise.race([
    new Promise<void>((resolve) => {
      watcher = watch(folder, (_, name) => {
        if (name?.startsWith('log-')) resolve();
      });
    }),
    sleep(longestCommitMs),
  ]);
  watcher?.close();
}
