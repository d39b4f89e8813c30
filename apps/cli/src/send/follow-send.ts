/**
 * `send` from the request to the last final event:
 *
 *  1. subscribe to the events, so that nothing after the request is missed
 *  2. POST the request
 *  3. tell what the events say; after a reconnect ask for the state of what is unfinished
 *  4. until every transfer has ended, or the person detaches
 */
import type { SendRequest, TransferSummary } from '@peerd/protocol';
import { failureOf, hasCode } from '../client/failure.ts';
import type { Followed } from '../client/follow.ts';
import type { Context } from '../context.ts';
import { printFailure } from '../ui/print-failure.ts';
import { failureOfSend } from './hints.ts';
import { onInterrupt } from './interruption.ts';
import { openReporter, reportQueued } from './open-reporter.ts';
import { postSend } from './post-send.ts';
import type { Reporter } from './reporter.ts';
import { exitOf, type SendEvent, SendTracker } from './tracker.ts';

export const sendAndFollow = async (context: Context, request: SendRequest): Promise<number> => {
  const { client, output, signal } = context;
  const events = client.follow({ signal });
  await events.next();
  const response = await postSend(context, request);
  const tracker = new SendTracker();
  reportQueued(output, response);
  const reporter = await openReporter(output);
  const interruption = onInterrupt(context, () => tracker.unfinished(), reporter);
  try {
    const tell = (told: readonly SendEvent[]): void => told.forEach((event) => reporter.event(event));
    tell(tracker.start(response.transfers, response));
    // What was there before may be over: its names are asked for.
    if ((response.repeated ?? []).length > 0) await resync(context, tracker, tell);
    while (tracker.unfinished().length > 0) {
      const { value } = await events.next();
      if (value !== undefined) await onEvent(context, tracker, value, reporter, tell);
    }
  } finally {
    await interruption[Symbol.asyncDispose]();
    reporter.close();
    await events.return(undefined as never).catch(() => {});
  }
  return conclude(context, tracker);
};

/** Queues it and returns. */
export const sendDetached = async (context: Context, request: SendRequest): Promise<number> => {
  const { output } = context;
  const response = await postSend(context, request);
  reportQueued(output, response);
  const told = new SendTracker().start(response.transfers, response).filter(({ event }) => event === 'queued');
  const reporter = output.json ? await openReporter(output) : (await import('./plain-reporter.ts')).plainReporter(output);
  for (const event of told) reporter.event(event);
  reporter.close();
  return 0;
};

const onEvent = async (context: Context, tracker: SendTracker, event: Followed, reporter: Reporter, tell: (told: readonly SendEvent[]) => void): Promise<void> => {
  switch (event.kind) {
    case 'lost':
      reporter.away(true);
      return;
    case 'connected':
      reporter.away(false);
      await resync(context, tracker, tell);
      return;
    case 'transfer':
      if (tracker.has(event.transfer.id)) tell(tracker.observe(event.transfer, event.transfer.state === 'done' ? (event.savedAs ?? (await savedAs(context, event.transfer.id))) : undefined));
      return;
    case 'progress':
      tell(tracker.progress(event.id, event.bytesDone, event.bytes, event.chunks));
  }
};

/** Events may have been lost: ask. A daemon that goes away again meanwhile leads to the next `connected`. */
const resync = async ({ client, signal }: Context, tracker: SendTracker, tell: (told: readonly SendEvent[]) => void): Promise<void> => {
  for (const transfer of tracker.unfinished()) {
    try {
      const detail = await client.transfer(transfer.id, { limit: 1 }, signal);
      tell(tracker.observe(detail, detail.savedAs));
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 'daemon_unreachable', 'shutting_down')) return;
      if (!hasCode(error, 'not_found')) throw error;
      tell(tracker.observe(forgotten(transfer, failureOf(error).message), undefined));
    }
  }
};

const forgotten = (transfer: TransferSummary, message: string): TransferSummary => ({ ...transfer, state: 'failed', error: { code: 'not_found', message } });

/** A `done` that was learned without its names. */
const savedAs = async ({ client, signal }: Context, id: string): Promise<readonly string[]> => {
  try {
    return (await client.transfer(id, { limit: 1 }, signal)).savedAs;
  } catch {
    signal.throwIfAborted();
    return [];
  }
};

/** The exit code is the first that is not 0; the error of that transfer comes last. */
const conclude = ({ output }: Context, tracker: SendTracker): number => {
  const bad = tracker.finals().filter((event) => exitOf(event) !== 0);
  const [first] = bad;
  if (first === undefined) return 0;
  const shown = output.json ? [first] : bad;
  for (const event of shown) printFailure(output, failureOfSend(event));
  return exitOf(first);
};
