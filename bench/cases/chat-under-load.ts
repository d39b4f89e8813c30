/** Messages and questions to the daemon while content runs at full speed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusResponse } from '@peerd/protocol';
import { ControlClient } from '../measure/requests.ts';
import { quantile } from '../measure/statistics.ts';
import type { CaseOutcome } from '../report/model.ts';
import { bytesText } from '../report/units.ts';
import { atMost, verdictOf } from '../report/verdicts.ts';
import { PeerPair } from '../tools/peer-pair.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import { type BenchCase, measuredOnce, onEachMedium, type Session } from './case.ts';

const name = 'chat-under-load';
const copies = 2;
/** A person types slower; and a peer that sends more than 20 a second is read more slowly after a while. */
const pauseMs = 55;

/** Sends the file again and again until it is stopped. */
class Load implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  failure: Error | undefined;

  constructor(pair: PeerPair, file: string, options: readonly string[], signal: AbortSignal) {
    this.#running = this.#run(pair, file, options, AbortSignal.any([signal, this.#stop.signal]));
  }

  async #run(pair: PeerPair, file: string, options: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      for (;;) await rm(join(pair.destination, (await pair.send(file, signal, options)).savedAs));
    } catch (error) {
      if (!signal.aborted) this.failure = error as Error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('enough samples'));
    await this.#running;
  }
}

interface Delays {
  readonly chat: readonly number[];
  readonly status: readonly number[];
}

interface Asking {
  readonly requests: number;
  /** Whether content is to be under way; what was asked between two transfers does not count. */
  readonly loaded: boolean;
  readonly signal: AbortSignal;
  /** Throws when there is no load any more. */
  readonly check?: () => void;
}

/** So many times in vain, and it is not measured. */
const attemptsEach = 20;

const measure = async (pair: PeerPair, { requests, loaded, signal, check }: Asking): Promise<Delays> => {
  using client = new ControlClient(pair.sender.socket);
  using other = new ControlClient(pair.receiver.socket);
  const delays: { chat: number[]; status: number[] } = { chat: [], status: [] };
  let before = false;
  for (let attempt = 0; delays.chat.length < requests; attempt += 1) {
    check?.();
    if (attempt > requests * attemptsEach) throw new Error('content was hardly ever under way');
    // Delivered, or `queued` after the time that the daemon waits: then it counts as that time.
    const { ms } = await client.call('POST', '/v1/messages', { peer: pair.receiver.id, text: `message ${attempt}` });
    const asked = await client.call<StatusResponse>('GET', '/v1/status');
    const askedThere = await other.call<StatusResponse>('GET', '/v1/status');
    const after = askedThere.answer.transfers.active > 0;
    if (!loaded || (before && after)) {
      delays.chat.push(ms);
      delays.status.push(asked.ms, askedThere.ms);
    }
    before = after;
    await sleep(pauseMs, undefined, { signal });
  }
  return delays;
};

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, signal, say } = session;
  const bytes = await medium.fitting(sizes.fileBytes, copies);
  if (bytes === 0) return { groups: [], verdicts: [], notes: [`${name} on ${medium.name}: there is no room`] };
  await using scratch = await Scratch.in(medium.directory, name);
  await using world = await Scratch.in(medium.directory, 'world');
  await using pair = await PeerPair.open(world.directory, 'none', signal);
  const file = join(scratch.directory, 'file');
  await writeRandomFile(file, bytes);
  say(`chat and status beside a transfer of ${bytesText(bytes)}, again and again, ${medium.name}: ${sizes.requests} requests each`);
  const { requests } = sizes;
  const idle = await measure(pair, { requests: Math.ceil(requests / 4), loaded: false, signal });
  let loaded: Delays;
  {
    await using load = new Load(pair, file, sizes.loadOptions, signal);
    loaded = await measure(pair, {
      requests, loaded: true, signal, check: () => {
        if (load.failure) throw load.failure;
      },
    });
  }
  const p99 = (delays: readonly number[]): number => quantile(delays, 0.99);
  const rows = ([['chat', 'chat'], ['GET /v1/status', 'status']] as const).flatMap(([label, key]) =>
    ([['under load', loaded], ['idle', idle]] as const).map(([state, delays]) => measuredOnce(`${label}, ${state}`, delays[key].map((ms) => ms / 1_000))));
  say(`  p99 of chat ${p99(loaded.chat).toFixed(1)} ms, of status ${p99(loaded.status).toFixed(1)} ms`);
  const shared = {
    case: name, medium: medium.name, bound: atMost(50), unit: 'ms',
    ...(bytes < sizes.fileBytes ? { why: `each transfer has only ${bytesText(bytes)}` } : {}),
  };
  return {
    groups: [{ title: 'round trips while content runs', medium: medium.name, scale: 'requests', bytes: 0, files: 0, rows }],
    verdicts: [
      verdictOf({ ...shared, figure: 'chat, sent to delivered, p99', value: p99(loaded.chat) }),
      verdictOf({ ...shared, figure: 'GET /v1/status, p99', value: p99(loaded.status) }),
    ],
    notes: [],
  };
};

export const chatUnderLoad: BenchCase = { name, summary: 'messages and status while content runs at full speed', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
