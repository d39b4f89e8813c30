/**
 * Events for as long as somebody wants them: when the stream ends, it is opened again behind the last event that was
 * seen. A daemon that restarts is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlEvent } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { readEvents } from './events.ts';
import { hasCode } from './failure.ts';

/** `connected`: the stream is up (again) and whatever was known must be asked anew. `lost`: the daemon is away. */
export type Followed = { readonly kind: 'connected' } | { readonly kind: 'lost' } | Exclude<ControlEvent, { kind: 'hello' | 'reset' }>;

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** How long a daemon may be away before we give up. */
  readonly patienceMs?: number;
  readonly silenceMs?: number;
}

const defaultPatienceMs = 60_000;
const defaultSilenceMs = 45_000;
const firstDelayMs = 100;
const maxDelayMs = 1_000;

/** The first `connected` comes from the first connection: a daemon that is away at the start is an error at once. @throws PeerdError `daemon_unreachable`, the signal's reason */
export async function* followEvents(socket: string, options: FollowOptions): AsyncGenerator<Followed, never, void> {
  const { signal, patienceMs = defaultPatienceMs, silenceMs = defaultSilenceMs } = options;
  let lastEventId: string | undefined;
  let lostAt: number | undefined;
  let delayMs = firstDelayMs;
  let everConnected = false;
  for (;;) {
    let cause: unknown;
    try {
      for await (const { id, event } of readEvents(socket, { lastEventId, signal, silenceMs })) {
        if (id !== undefined) lastEventId = id;
        lostAt = undefined;
        delayMs = firstDelayMs;
        everConnected = true;
        yield event.kind === 'hello' || event.kind === 'reset' ? { kind: 'connected' } : event;
      }
    } catch (error) {
      if (signal.aborted || !everConnected || !hasCode(error, 'daemon_unreachable', 'shutting_down')) throw error;
      cause = error;
    }
    if (lostAt === undefined) {
      lostAt = performance.now();
      yield { kind: 'lost' };
    }
    if (performance.now() - lostAt >= patienceMs)
      throw new PeerdError('daemon_unreachable', `peerd has been away for ${Math.round(patienceMs / 1000)} s`, {
        cause,
        hint: 'What it was doing goes on when it is started again; `peerctl transfers` shows it then.',
      });
    await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    delayMs = Math.min(delayMs * 2, maxDelayMs);
  }
}
