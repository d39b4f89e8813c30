/** What time does to transfers. Runs once in a while. */
import { isFinalState, PeerdError } from '@peerd/protocol';
import type { TransferEnvironment } from './environment.ts';
import { removeState } from './layout.ts';
import type { Registry } from './registry.ts';

const day = 86_400_000;
/** An offer that nobody decided about. */
const undecidedMs = 7 * day;
/** The other side is told of an end for so long. */
const untoldMs = 7 * day;
/** An accepted transfer whose sender never came back. */
const abandonedMs = 30 * day;
/** So that nothing is delivered twice, and for the history. */
const rememberedMs = 30 * day;
/** An offer that was not accepted. */
const declinedMs = 7 * day;

export const upkeepIntervalMs = 3_600_000;

export const upkeep = async (environment: TransferEnvironment, registry: Registry): Promise<void> => {
  const { store, settings, now } = environment;
  const time = now();
  for (const transfer of registry.all()) {
    const { record } = transfer;
    if (isFinalState(record.state)) {
      if (record.untold && (record.finishedAt ?? 0) < time - untoldMs) await transfer.forget();
    } else if ('fail' in transfer) {
      const undecided = record.state === 'queued' || record.state === 'offered';
      if (undecided && record.createdAt < time - undecidedMs) await transfer.fail(new PeerdError('offer_expired', 'nobody decided about the offer within 7 days'));
      else if (record.state === 'connecting' && !record.pausedHere && record.updatedAt < time - abandonedMs) await transfer.fail(new PeerdError('offer_expired', 'the sender did not come back within 30 days'));
    }
  }
  for (const key of await store.finishedBefore(time - rememberedMs, time - declinedMs)) {
    await removeState(settings.stateDir, key);
    await store.remove(key);
  }
};
