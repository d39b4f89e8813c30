import { join } from 'node:path';
import { type BuildOptions, defineConfig, type Plugin } from 'rolldown';

/** Commander starts other programs for commands of their own, which peerctl has none of: loading what that needs takes 3 ms. */
const lazyChildProcess: Plugin = {
  name: 'lazy-child-process',
  resolveId: (source, importer) => (source === 'node:child_process' && importer?.includes('/commander/') === true ? '\0lazy-child-process' : null),
  load: (id) => (id === '\0lazy-child-process' ? "export default { spawn: (...words) => process.getBuiltinModule('node:child_process').spawn(...words) };" : null),
};

const ofSend = /cli\/src\/(?:send\/(?!bar-reporter|dry-run|pack-tree|standard-input)|client\/(?:follow|events)\.ts)|\/eventsource-parser\//;

/**
 * What every command needs in one file, and chunks for what only some need. CommonJS: `peerctl whoami` took 62 ms so and
 * 113 ms as ES modules (node -e 0: 35 ms), because importing node:http as an ES module instantiates far more of it.
 */
export const bundleInto = (directory: string): BuildOptions => ({
  input: join(import.meta.dirname, 'src/main.ts'),
  platform: 'node',
  plugins: [lazyChildProcess],
  preserveEntrySignatures: false,
  resolve: { conditionNames: ['@peerd/source', 'node', 'import', 'default'] },
  output: {
    dir: directory,
    cleanDir: true,
    format: 'cjs',
    entryFileNames: 'main.cjs',
    chunkFileNames: '[name].cjs',
    // A file more costs a millisecond: what all commands share is one, and what `send` needs in addition another.
    codeSplitting: { groups: [{ name: 'main', tags: ['$initial'] }, { name: 'send', test: ofSend, includeDependenciesRecursively: false }] },
  },
});

export default defineConfig(bundleInto(join(import.meta.dirname, 'dist/bundle')));
