/**
 * Moves finished top-level entries out of staging under their final names, each at once, never over something that is
 * there. Any step may be the last one before a crash: the run after it reads the log and the file system and goes on.
 *
 *  1. choose a name that is free
 *  2. log name and inode (durable)
 *  3. claim the name and move (claim.ts)
 *  4. a directory gets its time and mode; the destination is flushed
 *  5. the staged name of a file is removed; log that it is placed
 *
 * After a crash, an entry that has a logged name and is gone from staging, or has a second link, was placed. Otherwise the
 * logged name leads to our empty claim (go on with the move), to something else (it is taken, go on with the next name),
 * or nowhere (go on as planned).
 */
import type { BigIntStats } from 'node:fs';
import { escapeBytes, type ManifestEntry, PeerdError } from '@peerd/protocol';
import { ioError } from '../system-errors.ts';
import { candidateNames } from './candidate-names.ts';
import { claimAndMove, dressPlaced, statOf, unlinkIfThere } from './claim.ts';
import type { Staging } from './staging.ts';

/** Where it was decided what goes where. Every promise resolves when the record is on stable storage. */
export interface PlacementLog {
  intended(entry: number): Promise<{ name: Buffer; inode: bigint; done: boolean } | undefined>;
  intend(entry: number, name: Buffer, inode: bigint): Promise<void>;
  placed(entry: number): Promise<void>;
}

export interface TopLevelEntry {
  readonly index: number;
  readonly entry: ManifestEntry;
}

export interface Placing {
  readonly staging: Staging;
  readonly log: PlacementLog;
  readonly conflict: 'rename' | 'fail';
  readonly durability: 'transfer' | 'none';
}

/** Final name, or why there is none. */
export type Outcome = { readonly index: number } & ({ readonly name: Buffer } | { readonly failure: PeerdError });

interface Move extends TopLevelEntry {
  readonly original: Buffer;
  readonly staged: BigIntStats;
  readonly names: Generator<Buffer, void, void>;
  name: Buffer;
  /** The log has this name from a run before. */
  logged: boolean;
}

interface Placed extends TopLevelEntry {
  readonly name: Buffer;
  readonly inode: bigint;
}

/** One flush of the destination serves the whole group. @throws PeerdError for what concerns more than one entry; errors of the log */
export const placeGroup = async (placing: Placing, group: readonly TopLevelEntry[]): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  const moves: Move[] = [];
  const placed: Placed[] = [];
  const records = await Promise.all(group.map(({ index }) => placing.log.intended(index)));
  const taken = new Set(records.flatMap((record) => (record === undefined ? [] : [record.name.toString('latin1')])));
  for (const [position, top] of group.entries()) {
    const record = records[position];
    if (record?.done === true) {
      outcomes.push({ index: top.index, name: record.name });
      continue;
    }
    const prepared = await prepare(placing, top, record, taken);
    if ('failure' in prepared) outcomes.push(prepared);
    else if ('names' in prepared) moves.push(prepared);
    else placed.push(prepared);
  }
  await Promise.all(moves.filter(({ logged }) => !logged).map((move) => placing.log.intend(move.index, move.name, move.staged.ino)));
  for (const move of moves) {
    const outcome = await moveOut(placing, move);
    if ('failure' in outcome) outcomes.push(outcome);
    else placed.push({ index: move.index, entry: move.entry, name: outcome.name, inode: move.staged.ino });
  }
  await conclude(placing, placed);
  return [...outcomes, ...placed.map(({ index, name }) => ({ index, name }))].sort((a, b) => a.index - b.index);
};

type Prepared = Move | Placed | { readonly index: number; readonly failure: PeerdError };

/** Finds out what a run before has done, or chooses a name. */
const prepare = async (placing: Placing, top: TopLevelEntry, record: { name: Buffer; inode: bigint } | undefined, taken: Set<string>): Promise<Prepared> => {
  const { staging, conflict } = placing;
  const original = Buffer.from(top.entry.path[0] ?? []);
  const failed = (failure: PeerdError): Prepared => ({ index: top.index, failure });
  try {
    const staged = await statOf(staging.staged(original));
    // Gone from staging, or a file with a second link: it was placed. Whether it is still there does not matter: a second
    // copy is not for us to make.
    const isPlaced = staged === undefined || (top.entry.type !== 'directory' && staged.nlink > 1n);
    if (record !== undefined && isPlaced) return { ...top, name: record.name, inode: record.inode };
    if (staged === undefined) return failed(new PeerdError('io_error', `"${escapeBytes(original)}" is not in the staging directory any more`));
    const names = candidateNames(original, top.entry.type === 'directory');
    if (record !== undefined) return { ...top, original, staged, names, name: record.name, logged: true };
    const name = await nextFree(staging, names, taken);
    if (name === undefined || (conflict === 'fail' && !name.equals(original))) return failed(nameTaken(original));
    taken.add(name.toString('latin1'));
    return { ...top, original, staged, names, name, logged: false };
  } catch (cause) {
    return failed(ofThisEntry(ioError(cause, `finding a name for "${escapeBytes(original)}" in the destination`)));
  }
};

/** Tries the chosen name and, where somebody was quicker, the next ones. */
const moveOut = async ({ staging, log, conflict }: Placing, move: Move): Promise<Outcome> => {
  const { index, entry, original } = move;
  for (;;) {
    try {
      if (await claimAndMove(staging.staged(original), staging.placed(move.name), entry.type, move.logged)) return { index, name: move.name };
      const next = conflict === 'fail' ? undefined : await nextFree(staging, move.names, new Set());
      if (next === undefined) return { index, failure: nameTaken(original) };
      move.name = next;
      move.logged = false;
    } catch (cause) {
      return { index, failure: ofThisEntry(ioError(cause, `moving "${escapeBytes(move.name)}" into the destination`)) };
    }
    // Not among the errors of this entry: a log that fails concerns all of them.
    await log.intend(index, move.name, move.staged.ino);
  }
};

/** What the operating system refuses for one entry leaves the others alone. A defect does not. */
const ofThisEntry = (error: Error): PeerdError => {
  if (error instanceof PeerdError) return error;
  throw error;
};

/** Not a `for` loop: leaving it would end the generator, whose later names may be needed too. */
const nextFree = async (staging: Staging, names: Generator<Buffer, void, void>, taken: ReadonlySet<string>): Promise<Buffer | undefined> => {
  for (let next = names.next(); next.done !== true; next = names.next())
    if (!taken.has(next.value.toString('latin1')) && (await statOf(staging.placed(next.value))) === undefined) return next.value;
  return undefined;
};

/** Only what is on stable storage under its final name loses its staged one. */
const conclude = async ({ staging, durability, log }: Placing, placed: readonly Placed[]): Promise<void> => {
  if (placed.length === 0) return;
  const flush = durability === 'transfer';
  try {
    for (const { entry, name, inode } of placed) if (entry.type === 'directory') await dressPlaced(staging.placed(name), inode, entry, flush);
    if (flush) await staging.flushDestination();
    for (const { entry } of placed) if (entry.type !== 'directory') await unlinkIfThere(staging.staged(entry.path[0] ?? Buffer.alloc(0)));
  } catch (cause) {
    throw ioError(cause, 'finishing the move into the destination');
  }
  await Promise.all(placed.map(({ index }) => log.placed(index)));
};

const nameTaken = (name: Buffer): PeerdError =>
  new PeerdError('conflict', `"${escapeBytes(name)}" exists in the destination`, { hint: 'Move it away, or send again with another --conflict policy.' });
