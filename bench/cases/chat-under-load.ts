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

  constructor(pair: PeerPair, file: string, signal: AbortSignal) {
    this.#running = this.#run(pair, file, AbortSignal.any([signal, this.#stop.signal]));
  }

  async #run(pair: PeerPair, file: string, signal: AbortSignal): Promise<void> {
    try {
      for (;;) await rm(join(pair.destination, (await pair.send(file, signal)).savedAs));
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
  /** Of the questions, the share that found content under way. */
  readonly busy: number;
}

const measure = async (pair: PeerPair, requests: number, signal: AbortSignal): Promise<Delays> => {
  using client = new ControlClient(pair.sender.socket);
  using other = new ControlClient(pair.receiver.socket);
  const [chat, status]: [number[], number[]] = [[], []];
  let busy = 0;
  for (let index = 0; index < requests; index += 1) {
    const { answer: { state }, ms } = await client.call<{ state: string }>('POST', '/v1/messages', { peer: pair.receiver.id, text: `message ${index}` });
    // Not acknowledged within the daemon's own limit: it counts as what it took.
    if (state !== 'delivered' && state !== 'queued') throw new Error(`a message became ${state}`);
    chat.push(ms);
    for (const daemon of [client, other]) {
      const asked = await daemon.call<StatusResponse>('GET', '/v1/status');
      status.push(asked.ms);
      busy += asked.answer.transfers.active > 0 ? 0.5 : 0;
    }
    await sleep(pauseMs, undefined, { signal });
  }
  return { chat, status, busy: busy / requests };
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
  const idle = await measure(pair, Math.ceil(sizes.requests / 4), signal);
  await pair.sender.json('status');
  let loaded: Delays;
  {
    await using load = new Load(pair, file, signal);
    await pair.receiver.seesTransfer((transfer) => transfer.state === 'transferring' || transfer.state === 'done');
    loaded = await measure(pair, sizes.requests, signal);
    if (load.failure) throw load.failure;
  }
  const p99 = (delays: readonly number[]): number => quantile(delays, 0.99);
  const rows = ([['chat', 'chat'], ['GET /v1/status', 'status']] as const).flatMap(([label, key]) =>
    ([['under load', loaded], ['idle', idle]] as const).map(([state, delays]) => measuredOnce(`${label}, ${state}`, delays[key].map((ms) => ms / 1_000))));
  const note = `${medium.name}: content was under way at ${Math.round(loaded.busy * 100)} % of the questions`;
  say(`  ${note}; p99 of chat ${p99(loaded.chat).toFixed(1)} ms, of status ${p99(loaded.status).toFixed(1)} ms`);
  const shared = { case: name, medium: medium.name, bound: atMost(50), unit: 'ms' };
  return {
    groups: [{ title: 'round trips while content runs', medium: medium.name, scale: 'requests', bytes: 0, files: 0, rows }],
    verdicts: [
      verdictOf({ ...shared, figure: 'chat, sent to delivered, p99', value: p99(loaded.chat) }),
      verdictOf({ ...shared, figure: 'GET /v1/status, p99', value: p99(loaded.status) }),
    ],
    notes: [note],
  };
};

export const chatUnderLoad: BenchCase = { name, summary: 'messages and status while content runs at full speed', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
