/**
 * `on_received`: a program that runs after something was received. It is told of each reception at most once: what waits
 * or runs when peerd ends is not run again. Whatever it does, the transfer is done.
 */
import { escapeText, type PeerId } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import { Counter, type Registry } from 'prom-client';
import { inheritedEnvironment, type Received, receivedEnvironment } from './environment.ts';
import { runCommand } from './run-command.ts';
import { WorkQueue } from './work-queue.ts';

export interface OnReceivedOptions {
  /** Program and arguments; empty: nothing is run. */
  readonly words: readonly string[];
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the control socket. */
  readonly control: string;
  /** The name under which a person knows the peer, if it is a contact: raw. */
  readonly nameOf: (peer: PeerId) => string | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
}

export interface OnReceived {
  run(received: Received): void;
  /** Ends what runs. */
  stop(): Promise<void>;
}

const outcomes = ['done', 'failed', 'timeout', 'stopped', 'dropped'] as const;

export const createOnReceived = ({ words, timeoutMs, env, control, nameOf, logger, registry }: OnReceivedOptions): OnReceived => {
  const counter = new Counter({ name: 'peerd_hooks_total', help: 'Runs of on_received, by how they ended.', labelNames: ['outcome'], registers: [registry] });
  for (const outcome of outcomes) counter.inc({ outcome }, 0);
  const queue = new WorkQueue({ concurrency: 2, maxWaiting: 256 });
  const stopping = new AbortController();

  const run = async (received: Received): Promise<void> => {
    const told = receivedEnvironment(received, nameOf(received.peer) ?? received.peerName, control);
    const { outcome, detail, output } = await runCommand({
      words, timeoutMs,
      ...(received.destination === undefined ? {} : { cwd: received.destination }),
      env: { ...inheritedEnvironment(env), ...told },
      signal: stopping.signal,
    });
    counter.inc({ outcome });
    const facts = { transfer: received.id, outcome, detail: escapeText(detail), ...(output === '' ? {} : { output: escapeText(output) }) };
    if (outcome === 'done') logger.info(facts, 'on_received: done');
    else logger.warn(facts, 'on_received: it did not succeed; the transfer is done all the same');
  };

  return {
    run: (received) => {
      if (words.length === 0) return;
      const taken = queue.add(() => run(received).catch((error: unknown) => logger.error({ err: error, transfer: received.id }, 'on_received: it could not be run')));
      if (taken) return;
      counter.inc({ outcome: 'dropped' });
      logger.warn({ transfer: received.id }, 'on_received: too many receptions wait for it, this one is left out');
    },
    stop: async () => {
      stopping.abort();
      const dropped = await queue.close();
      if (dropped === 0) return;
      counter.inc({ outcome: 'dropped' }, dropped);
      logger.warn({ dropped }, 'on_received: receptions that waited for it are left out, since peerd stops');
    },
  };
};
