import type { Client } from './client/client.ts';
import type { Interrupts } from './interrupts.ts';
import type { Output } from './ui/output.ts';

/** What a command works with. */
export interface Context {
  readonly client: Client;
  readonly output: Output;
  readonly interrupts: Interrupts;
  /** Ends with the command. */
  readonly signal: AbortSignal;
}

/** What a command does; resolves with its exit code, 0 if it has none. */
type Action<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<number | void>;

/** Makes the callback of commander out of an action. */
export type Run = <Args extends unknown[]>(action: Action<Args>) => (...args: Args) => Promise<void>;
