/** `send PEER -`: standard input becomes a file in the daemon's spool. */
import type { SpoolSource } from '@peerd/protocol';
import type { Context } from '../context.ts';

export const spoolStandardInput = async ({ client, output, signal }: Context, name: string | undefined): Promise<SpoolSource> => {
  if (process.stdin.isTTY) output.note('reading from the terminal: end with Ctrl-D on a line of its own');
  try {
    const { id } = await client.spoolFile({ ...(name === undefined ? {} : { name }), mode: 0o666 & ~process.umask() }, process.stdin as AsyncIterable<Uint8Array>, signal);
    return { id };
  } finally {
    // Input that goes on after a refusal would keep the process alive.
    process.stdin.destroy();
  }
};
