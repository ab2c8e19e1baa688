import { defineConfig } from 'vitest/config';

/** Suites that need a system program: a broker (mosquitto), a browser (Chromium). */
const systemSuites = ['broker', 'browser'];

export default defineConfig({
  test: {
    pool: 'forks',
    // lets the tests of allocation-free steps collect garbage before they measure
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: systemSuites.map((suite) => `test/**/*.${suite}.test.ts`),
        },
      },
      ...systemSuites.map((suite) => ({
        extends: true as const,
        test: { name: suite, include: [`test/**/*.${suite}.test.ts`], fileParallelism: false },
      })),
    ],
  },
});
