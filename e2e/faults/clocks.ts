/** Clocks that can be set: libfaketime reads their shift from a file. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faketimeLibrary } from './system.ts';

const shiftFile = (directory: string, name: string): string => join(directory, `clock-${name}`);
/** Process ids, one a line. */
const processesFile = (directory: string): string => join(directory, 'clocks');

/** Shifts the clocks of all processes of that name by so many seconds. */
export const setClock = (directory: string, name: string, seconds: number): void => writeFileSync(shiftFile(directory, name), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}`);

/** Command in front of a program whose clock of the day can be set then; what measures time is left alone. */
export const clockPrefix = (directory: string, name: string): string[] => {
  setClock(directory, name, 0);
  return [
    // The program has the id of the shell that says it.
    'sh', '-c', 'echo $$ >> "$0"; exec "$@"', processesFile(directory),
    'env', `LD_PRELOAD=${faketimeLibrary()}`, `FAKETIME_TIMESTAMP_FILE=${shiftFile(directory, name)}`, 'FAKETIME_CACHE_DURATION=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'DONT_FAKE_MONOTONIC=1',
  ];
};

/** Of the processes in this directory, which have ended: one that is killed leaves its shared memory and its semaphore behind. */
export const removeClocks = (directory: string): void => {
  const processes = processesFile(directory);
  for (const pid of existsSync(processes) ? readFileSync(processes, 'utf8').trim().split('\n') : []) for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true });
};
