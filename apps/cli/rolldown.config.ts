import { join } from 'node:path';
import { type BuildOptions, defineConfig } from 'rolldown';

/**
 * What every command needs in one file, and chunks for what only some need. CommonJS: `peerctl whoami` took 62 ms so and
 * 113 ms as ES modules (node -e 0: 35 ms), because importing node:http as an ES module instantiates far more of it.
 */
export const bundleInto = (directory: string): BuildOptions => ({
  input: join(import.meta.dirname, 'src/main.ts'),
  platform: 'node',
  resolve: { conditionNames: ['@peerd/source', 'node', 'import', 'default'] },
  output: { dir: directory, cleanDir: true, format: 'cjs', entryFileNames: 'main.cjs', chunkFileNames: '[name].cjs' },
});

export default defineConfig(bundleInto(join(import.meta.dirname, 'dist/bundle')));
