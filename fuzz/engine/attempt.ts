/** Runs one input, and makes what it breaks small. */
import type { FuzzTarget } from './target.ts';

/** Processor time for one input of a few KiB: a thousand times what the slowest ordinary one takes, so only runaway work hits it. */
const maxCpuMs = 2_000;

/** What was broken, or `undefined`. */
export const attempt = async (target: FuzzTarget, input: Buffer): Promise<Error | undefined> => {
  const before = process.threadCpuUsage();
  try {
    await target.run(input);
  } catch (error) {
    return error instanceof Error ? error : new Error(`threw ${String(error)}`);
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000 > maxCpuMs ? new Error(`took ${Math.round((user + system) / 1_000)} ms of processor time`) : undefined;
};

/** The same finding with less: pieces are left out as long as the same error remains. */
export const minimise = async (target: FuzzTarget, input: Buffer, error: Error): Promise<Buffer> => {
  const kind = kindOf(error);
  let smallest = input;
  for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let at = 0; at < smallest.length; ) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + piece)]);
      const failure = await attempt(target, candidate);
      if (failure !== undefined && kindOf(failure) === kind) smallest = candidate;
      else at += piece;
    }
  }
  return smallest;
};

/** Errors that differ only in numbers and values are one finding. */
export const kindOf = (error: Error): string => `${error.name}: ${error.message.split('\n')[0]?.replace(/\d+|"[^"]*"/g, '_') ?? ''}`;
