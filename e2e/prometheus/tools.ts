/** promtool, run to its end; and the files that are checked with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

/** docker/ of this checkout */
export const docker: string = fileURLToPath(new URL('../../docker/', import.meta.url));

/** @returns exit code and all that it printed */
export const promtool = async (args: readonly string[], input = ''): Promise<{ code: number | null; output: string }> => {
  const child = spawn(join(inject('prometheusTools'), 'promtool'), [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: stdout + stderr };
};
