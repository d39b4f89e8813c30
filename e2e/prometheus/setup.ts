/** Before the Prometheus tests: the programs prometheus and promtool, or the reason why there are none. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    noPrometheus: string | undefined;
    /** Directory of prometheus and promtool. */
    prometheusTools: string;
  }
}

export const setup = async (project: TestProject): Promise<void> => {
  try {
    const { stdout } = await promisify(execFile)(fileURLToPath(new URL('tools.sh', import.meta.url)));
    project.provide('noPrometheus', undefined);
    project.provide('prometheusTools', stdout.trim());
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr: string };
    // Anything else is a defect of ours.
    if (code !== 77) throw error;
    project.provide('noPrometheus', stderr.trim().split('\n').at(-1));
    project.provide('prometheusTools', '');
  }
};
