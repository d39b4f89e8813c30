/** BLAKE3 alone, measured in a process of its own. */
import { fileURLToPath } from 'node:url';
import { runCommand } from '../measure/command.ts';

export interface HashingTook {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

const program = fileURLToPath(new URL('../floor/blake3.ts', import.meta.url));

const run = async (args: readonly string[], signal: AbortSignal): Promise<HashingTook> => {
  const { stdout } = await runCommand({ label: 'blake3', argv: [process.execPath, program, ...args], signal });
  return JSON.parse(stdout) as HashingTook;
};

export const blake3InMemory = (bytes: number, signal: AbortSignal): Promise<HashingTook> => run(['memory', String(bytes)], signal);

/** Reads and hashes the beginning of a file. */
export const blake3OfFile = (path: string, bytes: number, signal: AbortSignal): Promise<HashingTook> => run(['read', path, String(bytes)], signal);
