import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Workspace packages resolve to their sources, so tests need no build (except e2e, which runs the built programs). */
const conditions = ['@peerd/source', 'node', 'import', 'default'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: ['@peerd/source'] } };

/** Suites on machines, with programs of others: not beside the suites that load this machine. */
const onMachines = (name: string, setup: string) => ({
  resolve,
  ssr,
  test: {
    name,
    root: 'e2e',
    include: [`${name}/**/*.test.ts`],
    globalSetup: fileURLToPath(new URL(setup, import.meta.url)),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    sequence: { groupOrder: 2 },
  },
});

const unit = (name: string, root: string) => ({ resolve, ssr, test: { name, root, include: ['test/**/*.test.ts'], setupFiles: [fileURLToPath(new URL('scripts/leaked-handles.ts', import.meta.url))], testTimeout: 30_000, expect: { poll: { timeout: 20_000 } } } });

export default defineConfig({
  test: {
    reporters: ['default', './scripts/summary-reporter.ts'],
    // Images are removed at the end, which takes its time on a busy machine.
    teardownTimeout: 60_000,
    projects: [
      unit('protocol', 'packages/protocol'),
      unit('service', 'packages/service'),
      unit('transfer', 'packages/transfer'),
      unit('rendezvous', 'apps/rendezvous'),
      unit('peerd', 'apps/peerd'),
      unit('cli', 'apps/cli'),
      unit('fuzz', 'fuzz'),
      unit('simulation', 'simulation'),
      { resolve, ssr, test: { name: 'e2e', root: 'e2e', include: ['test/**/*.test.ts', 'hostile/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 60_000 } },
      {
        resolve,
        ssr,
        test: {
          name: 'containers',
          root: 'e2e',
          include: ['containers/**/*.test.ts'],
          globalSetup: fileURLToPath(new URL('e2e/containers/setup.ts', import.meta.url)),
          // The reaper of testcontainers is one more image to pull; the tests remove what they make.
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          testTimeout: 240_000,
          hookTimeout: 180_000,
          // One world of five containers at a time, after the suites that load the machine.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      // Measures, if only that measuring works: alone, after the suites that load the machine.
      {
        resolve,
        ssr,
        test: { name: 'bench', root: 'bench', include: ['test/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 60_000, sequence: { groupOrder: 3 } },
      },
      onMachines('systemd', 'e2e/machine/setup.ts'),
      onMachines('package', 'e2e/machine/setup.ts'),
      onMachines('prometheus', 'e2e/prometheus/setup.ts'),
    ],
  },
});
