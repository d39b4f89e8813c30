/** What time does to transfers. Runs once in a while. */
import { isFinalState, PeerdError, type TransferPhase } from '@peerd/protocol';
import type { TransferEnvironment } from './environment.ts';
import { lookedAt, maxIdleDays, unlooked } from './idleness.ts';
import { IncomingTransfer } from './incoming.ts';
import { removeState } from './layout.ts';
import type { Registry } from './registry.ts';

const day = 86_400_000;
/** An offer that nobody decided about. */
const undecidedMs = 7 * day;
/** The other side is told of an end for so long. */
const untoldMs = 7 * day;
/** So that nothing is delivered twice, and for the history. */
const rememberedMs = 30 * day;
/** An offer that was not accepted. */
const declinedMs = 7 * day;

/** It is the sender's turn. */
const awaitsContent: ReadonlySet<TransferPhase> = new Set(['connecting', 'accepted', 'transferring']);

export const upkeepIntervalMs = 3_600_000;

export const upkeep = async (environment: TransferEnvironment, registry: Registry): Promise<void> => {
  const { store, settings, now } = environment;
  const time = now();
  for (const transfer of registry.all()) {
    const { record } = transfer;
    if (isFinalState(record.state)) {
      if (record.untold && (record.finishedAt ?? 0) < time - untoldMs) await transfer.forget();
    } else if (transfer instanceof IncomingTransfer) {
      const undecided = record.state === 'queued' || record.state === 'offered';
      if (undecided && record.createdAt < time - undecidedMs) await transfer.fail(new PeerdError('offer_expired', 'nobody decided about the offer within 7 days'));
      else if (awaitsContent.has(record.state)) await countIdleness(environment, transfer);
    }
  }
  for (const key of await store.finishedBefore(time - rememberedMs, time - declinedMs)) {
    await removeState(settings.stateDir, key);
    await store.remove(key);
  }
};

/** Gives up what holds disk space here for a sender that sends nothing, linked or not. What is held here waits as long as its person wants. */
const countIdleness = async ({ store, now }: TransferEnvironment, transfer: IncomingTransfer): Promise<void> => {
  const { record } = transfer;
  const next = record.pausedHere ? unlooked : lookedAt(record.idleness, record.bytesDone, now());
  if (next !== record.idleness) {
    await store.saveIdleness(record, next);
    record.idleness = next;
  }
  if (next.days >= maxIdleDays) await transfer.fail(new PeerdError('abandoned', `nothing came from the sender on ${maxIdleDays} days`));
};
