/** What a restart costs: from the link being up again to content flowing, against reading and hashing what is there. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusResponse, TransferDetail } from '@peerd/protocol';
import { assertSame } from '../measure/correctness.ts';
import { ControlClient } from '../measure/requests.ts';
import type { CaseOutcome } from '../report/model.ts';
import { bytesText, secondsText } from '../report/units.ts';
import { atMost, verdictOf } from '../report/verdicts.ts';
import { blake3OfFile } from '../tools/blake3.ts';
import { PeerPair } from '../tools/peer-pair.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { writeRandomFile } from '../workplace/sources.ts';
import { type BenchCase, measuredOnce, onEachMedium, type Session } from './case.ts';

const name = 'resume-check';
const copies = 2;
const MiB = 1024 * 1024;
/** Where the receiver is killed. */
const share = 0.75;
const pollMs = 5;
const flowsWithinMs = 10 * 60_000;
const arrivesWithinMs = 15 * 60_000;

interface Resumed {
  /** Since the daemon answered again. */
  readonly linkedMs: number;
  readonly flowsMs: number;
}

/** The sender knows when content flows: it counts what it sends, and sends nothing before the check is over. */
const watchResume = async (pair: PeerPair, id: string, sentBefore: number, signal: AbortSignal): Promise<Resumed> => {
  using receiver = new ControlClient(pair.receiver.socket);
  using sender = new ControlClient(pair.sender.socket);
  const started = performance.now();
  let linkedMs: number | undefined;
  for (;;) {
    const elapsed = performance.now() - started;
    if (elapsed > flowsWithinMs) throw new Error('content did not flow again');
    if (linkedMs === undefined) {
      const { answer } = await receiver.call<StatusResponse>('GET', '/v1/status');
      if (answer.links.length > 0) linkedMs = elapsed;
    } else {
      const { answer: { chunks, state } } = await sender.call<TransferDetail>('GET', `/v1/transfers/${id}`);
      if (chunks.sent > sentBefore || state === 'done') return { linkedMs, flowsMs: elapsed };
    }
    await sleep(pollMs, undefined, { signal });
  }
};

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, signal, say } = session;
  const bytes = await medium.fitting(sizes.partialBytes, copies);
  if (bytes < 8 * MiB) return { groups: [], verdicts: [], notes: [`${name} on ${medium.name}: there is no room`] };
  await using scratch = await Scratch.in(medium.directory, name);
  await using world = await Scratch.in(medium.directory, 'world');
  await using pair = await PeerPair.open(world.directory, 'none', signal);
  const file = join(scratch.directory, 'file');
  await writeRandomFile(file, bytes);
  // Slow enough that the kill finds it under way on any machine.
  const rate = Math.max(4, Math.floor((bytes * share) / sizes.partialSeconds / MiB));
  say(`${bytesText(bytes)}, ${medium.name}: the receiver is killed after ${Math.round(share * 100)} %`);
  const send = pair.sender.command(['--json', 'send', 'bob', file, '--limit-rate', `${rate}M`]);
  const giveUp = (): void => void send.end('SIGKILL');
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const line = await send.line(({ event, bytesDone }) => event === 'progress' && Number(bytesDone) >= bytes * share, arrivesWithinMs);
    const id = String(line['id']);
    await pair.receiver.end('SIGKILL');
    const { chunks: { sent } } = await pair.sender.json<TransferDetail>('show', id);
    await pair.receiver.start();
    const { linkedMs, flowsMs } = await watchResume(pair, id, sent, signal);
    const { code, stderr } = await send.result;
    if (code !== 0) throw new Error(`peerctl send ended with ${code}: ${stderr}`);
    await assertSame(file, join(pair.destination, 'file'), signal);
    const { chunks: { reused, rewritten, chunkSize } } = await pair.receiver.json<TransferDetail>('show', id);
    if (rewritten !== 0) throw new Error(`${rewritten} chunks were written again`);
    const checked = Math.min(bytes, reused * chunkSize);
    const reading = await blake3OfFile(file, checked, signal);
    const seconds = (flowsMs - linkedMs) / 1_000;
    const note = `${medium.name}: ${bytesText(checked)} were there; content flowed ${secondsText(seconds)} after the link was up (${secondsText(flowsMs / 1_000)} after the daemon), reading and hashing it takes ${secondsText(reading.seconds)}`;
    say(`  ${note}`);
    const isWhole = bytes === sizes.partialBytes;
    return {
      groups: [{ title: `checking ${bytesText(checked)} after a restart`, medium: medium.name, scale: 'bytes', bytes: checked, files: 1, rows: [measuredOnce('peerd', [seconds]), measuredOnce('reading and BLAKE3', [reading.seconds])] }],
      verdicts: [
        verdictOf({
          case: name, medium: medium.name, figure: `check of ${bytesText(checked)}, time of reading and hashing`, bound: atMost(1.3), value: checked === 0 ? undefined : seconds / reading.seconds,
          ...(checked === 0 ? { why: 'nothing of the partial transfer was used' } : isWhole ? {} : { why: `only ${bytesText(bytes)} fit` }),
        }),
      ],
      notes: [note],
    };
  } finally {
    signal.removeEventListener('abort', giveUp);
    await send.end('SIGKILL');
  }
};

export const resumeCheck: BenchCase = { name, summary: 'a restart in the middle of 10 GiB: how long the check of what is there takes', run: (session) => onEachMedium(session, (medium) => onMedium(session, medium)) };
