import { defineConfig } from 'vitest/config';

/** Suites that need what npm does not install: a broker (mosquitto), a browser (Chromium), other builds of Node (of
 * .ci/machines.mjs). */
const systemSuites = ['broker', 'browser', 'machines'];

const globalSetup = 'test/temporary-folder.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // of two cores vitest would leave one
    maxWorkers: '100%',
    // lets the tests of allocation-free steps collect garbage before they measure
    execArgv: ['--expose-gc'],
    // several times what the longest takes on two busy cores
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // of itself a second, which a browser may need there
    expect: { poll: { timeout: 30_000 } },
    // what runs at once waits for processes, which take a core each
    maxConcurrency: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          globalSetup,
          include: ['test/**/*.test.ts'],
          exclude: systemSuites.map((suite) => `test/**/*.${suite}.test.ts`),
        },
      },
      ...systemSuites.map((suite) => ({
        extends: true as const,
        test: {
          ...{ name: suite, globalSetup, fileParallelism: false },
          include: [`test/**/*.${suite}.test.ts`],
        },
      })),
    ],
  },
});
