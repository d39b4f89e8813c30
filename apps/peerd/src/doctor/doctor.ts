/** All checks of the daemon, run at the same time. What only this process can see is here; the rest is peerctl's. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DoctorCheck, type DoctorResponse, isFinalState, type TransferSummary } from '@peerd/protocol';
import type { RendezvousReading } from '../rendezvous/ports.ts';
import { checkAddresses, type ListeningFacts } from './addresses.ts';
import { fail } from './check.ts';
import { checkDownloads, checkState } from './directories.ts';
import { checkConsent, checkInbox, checkOpenFiles, checkSettings } from './process.ts';
import { checkClock, checkRendezvous } from './rendezvous.ts';

export interface DoctorSources {
  readonly stateDir: string;
  readonly downloadDir: string;
  readonly accept: 'ask' | 'auto';
  readonly now: () => number;
  readonly readings: () => readonly RendezvousReading[];
  readonly transfers: { list(): Promise<TransferSummary[]>; counts(): { readonly inbox: number } };
  readonly listening: () => Pick<ListeningFacts, 'bound' | 'wantedPort' | 'own' | 'reach'>;
  readonly settingsChanged: () => boolean;
}

export const examine = async (sources: DoctorSources): Promise<DoctorResponse> => {
  const readings = sources.readings();
  const facts: ListeningFacts = {
    ...sources.listening(),
    announced: readings.find(({ announced }) => announced.length > 0)?.announced ?? [],
    rendezvousHosts: readings.flatMap(({ host }) => (host === undefined ? [] : [host])),
  };
  const groups = await Promise.all([
    guarded('settings', () => [checkSettings(sources.settingsChanged)]),
    guarded('state-directory', () => checkState(sources.stateDir, process.geteuid?.() ?? 0)),
    guarded('download-directory', async () => checkDownloads(sources.downloadDir, await unfinishedReceptions(sources))),
    guarded('listening', () => checkAddresses(facts)),
    guarded('rendezvous', () => checkRendezvous(readings)),
    guarded('clock', async () => [checkClock(readings, sources.now(), await keptAt(sources.stateDir))]),
    guarded('open-files', async () => [await checkOpenFiles()]),
    guarded('consent', () => [checkConsent(sources.accept), checkInbox(sources.transfers.counts().inbox)]),
  ]);
  return { checks: groups.flat() };
};

/** One check that meets what it did not expect does not hide the others. */
const guarded = async (name: string, run: () => DoctorCheck[] | Promise<DoctorCheck[]>): Promise<DoctorCheck[]> => {
  try {
    return await run();
  } catch (error) {
    return [fail(name, `this could not be checked: ${(error as Error).message}`, 'The log of peerd may say more.')];
  }
};

const unfinishedReceptions = async ({ transfers }: DoctorSources): Promise<Set<string>> =>
  new Set((await transfers.list()).filter(({ direction, state }) => direction === 'receive' && !isFinalState(state)).map(({ id }) => id));

const keptAt = async (stateDir: string): Promise<number> => Math.max(...(await Promise.all(['identity.key', 'peerd.db'].map((name) => stat(join(stateDir, name)).then(({ mtimeMs }) => mtimeMs, () => 0)))));
