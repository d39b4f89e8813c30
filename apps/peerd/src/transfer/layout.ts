/**
 * Where the state of a transfer lies. Ids were validated (`peerIdSchema`, `transferIdSchema`) before they come here, so
 * they are safe as names.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { peerIdSchema, transferIdSchema } from '@peerd/protocol';
import type { TransferKey } from './record.ts';

export interface StatePaths {
  readonly directory: string;
  readonly manifest: string;
  /** 32 bytes per chunk; at the sender the hashes of what was read, at the receiver of what was stored. */
  readonly journal: string;
}

export const statePaths = (stateDir: string, key: TransferKey): StatePaths => {
  const directory = key.direction === 'send' ? join(stateDir, 'transfers', 'out', key.id) : join(stateDir, 'transfers', 'in', key.peer, key.id);
  return { directory, manifest: join(directory, 'manifest'), journal: join(directory, 'journal') };
};

/** Of the staging directory in the destination: no two transfers share it. */
export const stagingName = (key: TransferKey): string => `${key.id}-${key.peer}`;

export const makeStateDirectory = async (stateDir: string, key: TransferKey): Promise<StatePaths> => {
  const paths = statePaths(stateDir, key);
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  return paths;
};

/** For manifests that are only asked about. It goes with each start. */
export const questionsDirectory = (stateDir: string): string => join(stateDir, 'transfers', 'questions');

export const removeState = (stateDir: string, key: TransferKey): Promise<void> => rm(statePaths(stateDir, key).directory, { recursive: true, force: true });

/** Directories of transfers that have no row: their daemon was killed before it was stored, or after it was removed. */
export const removeOrphans = async (stateDir: string, known: readonly TransferKey[]): Promise<void> => {
  const keep = new Set(known.map((key) => statePaths(stateDir, key).directory));
  const out = join(stateDir, 'transfers', 'out');
  const incoming = join(stateDir, 'transfers', 'in');
  const found: string[] = (await names(out)).filter(isTransferId).map((id) => join(out, id));
  for (const peer of await names(incoming)) {
    if (!peerIdSchema.safeParse(peer).success) continue;
    for (const id of await names(join(incoming, peer))) if (isTransferId(id)) found.push(join(incoming, peer, id));
  }
  for (const directory of found) if (!keep.has(directory)) await rm(directory, { recursive: true, force: true });
};

const isTransferId = (name: string): boolean => transferIdSchema.safeParse(name).success;

const names = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};
