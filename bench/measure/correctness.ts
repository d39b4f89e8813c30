/** Whether what arrived is what was sent, byte by byte. Never within a measured time. */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @throws Error that says what differs */
export const assertSame = async (source: string, copy: string, signal: AbortSignal): Promise<void> => {
  const isTree = (await stat(source)).isDirectory();
  try {
    await run(isTree ? 'diff' : 'cmp', [...(isTree ? ['-r', '--no-dereference'] : []), source, copy], { signal, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    signal.throwIfAborted();
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    // 1: they differ. Everything else: it could not be said.
    if (code !== 1) throw error;
    throw new Error(`what arrived is not what was sent: ${(stdout || stderr).slice(0, 300).trim()}`, { cause: error });
  }
};
