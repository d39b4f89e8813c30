/** A sparse file: its holes stay holes at the receiver, memory stays flat, and each GiB takes as long as any other. */
import { open, rm, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { assertSame } from '../measure/correctness.ts';
import type { Measured } from '../measure/rounds.ts';
import type { Sample } from '../measure/usage.ts';
import type { CaseOutcome, Group, Verdict } from '../report/model.ts';
import { bytesText, secondsText } from '../report/units.ts';
import { atMost, peakOf, verdictOf } from '../report/verdicts.ts';
import { PeerPair } from '../tools/peer-pair.ts';
import type { Medium } from '../workplace/medium.ts';
import { Scratch } from '../workplace/scratch.ts';
import { sparseIslands, writeSparseFile } from '../workplace/sources.ts';
import type { BenchCase, Session } from './case.ts';

const name = 'sparse';
const MiB = 1024 * 1024;
const probeBytes = 32 * MiB;
/** Of the bytes of a file: less on disk means that its holes are holes. */
const holesShare = 0.5;
/** Where holes stay holes, everything but the islands was never written. */
const slackBytes = MiB;

const bytesOnDisk = async (path: string): Promise<number> => (await stat(path)).blocks * 512;

/** Reads nothing of holes. @throws Error when what arrived differs */
const assertSameSparse = async (source: string, copy: string, signal: AbortSignal): Promise<void> => {
  const [from, to] = await Promise.all([stat(source), stat(copy)]);
  if (from.size !== to.size) throw new Error(`what arrived has ${to.size} bytes, not ${from.size}`);
  const islands = sparseIslands(from.size);
  if (to.blocks * 512 > islands.length * MiB + slackBytes) return assertSame(source, copy, signal);
  await using one = await open(source);
  await using other = await open(copy);
  for (const position of islands) {
    const [expected, found] = await Promise.all([one, other].map((file) => file.read(Buffer.alloc(MiB), 0, MiB, position)));
    if (!expected?.buffer.equals(found?.buffer ?? Buffer.alloc(0))) throw new Error(`what arrived differs at ${position}`);
  }
};

/**
 * Reading holes fills the page cache, so memory is taken at the speed of reading; and a virtual machine that has to ask its
 * host for each page first is a tenth as fast as one that has them. Whatever runs first would pay for all.
 */
const touchMemory = async (directory: string, bytes: number, signal: AbortSignal): Promise<void> => {
  const path = join(directory, 'holes');
  await using file = await open(path, 'wx+');
  try {
    const length = Math.min(bytes, freemem());
    await file.truncate(length);
    const content = Buffer.allocUnsafe(MiB);
    for (let position = 0; position < length; position += MiB) {
      signal.throwIfAborted();
      await file.read(content, 0, MiB, position);
    }
  } finally {
    await rm(path);
  }
};

class SparseRuns {
  readonly #pair: PeerPair;
  readonly #medium: Medium;
  readonly #directory: string;
  readonly #signal: AbortSignal;

  constructor(pair: PeerPair, medium: Medium, directory: string, signal: AbortSignal) {
    this.#pair = pair;
    this.#medium = medium;
    this.#directory = directory;
    this.#signal = signal;
  }

  /** @returns what it took, and how much the arrived file has on disk */
  async send(bytes: number): Promise<{ sample: Sample; onDisk: number }> {
    const source = join(this.#directory, 'sparse');
    writeSparseFile(source, bytes);
    await this.#medium.settle(this.#signal);
    await touchMemory(this.#directory, bytes, this.#signal);
    const sent = await this.#pair.send(source, this.#signal);
    const arrived = join(this.#pair.destination, sent.savedAs);
    await assertSameSparse(source, arrived, this.#signal);
    const onDisk = await bytesOnDisk(arrived);
    await Promise.all([rm(arrived), rm(source)]);
    return { sample: { seconds: sent.seconds, cpuSeconds: sent.cpuSeconds, peaks: sent.peaks }, onDisk };
  }
}

const onMedium = async (session: Session, medium: Medium): Promise<CaseOutcome> => {
  const { sizes, signal, say } = session;
  await using scratch = await Scratch.in(medium.directory, name);
  await using world = await Scratch.in(medium.directory, 'world');
  await using pair = await PeerPair.open(world.directory, 'none', signal);
  const runs = new SparseRuns(pair, medium, scratch.directory, signal);
  const probe = await runs.send(probeBytes);
  const keepsHoles = probe.onDisk < probeBytes * holesShare;
  const largest = keepsHoles ? sizes.sparseBytes : await medium.fitting(Math.min(sizes.sparseBytes, sizes.denseSparseBytes), 2);
  const isTheWork = keepsHoles && largest === sizes.sparseBytes;
  const notes = keepsHoles ? [] : [`sparse files arrive on ${medium.name} without their holes (${bytesText(probe.onDisk)} on disk of ${bytesText(probeBytes)}), so only ${bytesText(largest)} instead of ${bytesText(sizes.sparseBytes)} were sent`];
  for (const note of notes) say(note);
  if (largest < 4 * MiB) return { groups: [], verdicts: [], notes };

  const groups: Group[] = [];
  const seconds: number[] = [];
  const rows: Measured[] = [];
  for (const bytes of [largest / 4, largest / 2, largest].map((size) => Math.max(4, Math.floor(size / MiB)) * MiB)) {
    const title = `a sparse file of ${bytesText(bytes)}`;
    const { sample } = await runs.send(bytes);
    say(`  ${title}, ${medium.name}: ${secondsText(sample.seconds)}`);
    const row = { name: 'peerd', samples: [sample] };
    rows.push(row);
    seconds.push(sample.seconds / bytes);
    groups.push({ title, medium: medium.name, scale: 'bytes', bytes, files: 1, rows: [row] });
  }
  const verdict = (figure: string, most: number, value: number | undefined, unit: string): Verdict =>
    verdictOf({ case: name, medium: medium.name, figure, bound: atMost(most), unit, value, otherWork: !isTheWork, ...(isTheWork ? {} : { why: notes[0] ?? 'it is smaller than the target says' }) });
  const peak = (row: Measured | undefined): number | undefined => peakOf(row, 'peerd (');
  const [first, last] = [peak(rows[0]), peak(rows.at(-1))];
  return {
    groups,
    verdicts: [
      verdict('peak RSS of either daemon', 250, last === undefined ? undefined : last / 1e6, 'MB'),
      verdict('flat: peak RSS, of that with a quarter of the size', 1.2, first === undefined || last === undefined ? undefined : last / first, '×'),
      verdict('constant: time per GiB, slowest of fastest size', 1.25, Math.max(...seconds) / Math.min(...seconds), '×'),
    ],
    notes,
  };
};

/** The file has no bytes, but a tmpfs has no room to promise for 64 GiB: on disk, if there is one. */
export const sparse: BenchCase = {
  name,
  summary: 'a sparse file of 64 GiB: memory, and time per GiB',
  run: async (session) => {
    const medium = session.media.find((one) => !one.isMemory) ?? session.media[0];
    return medium ? onMedium(session, medium) : { groups: [], verdicts: [], notes: [] };
  },
};
