/** What the kernel counts of a process: proc(5). */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

/** USER_HZ: whatever the kernel's own clock is, programs are told hundredths. */
const ticksPerSecond = 100;

/** User and system, of its threads and of the children that it has waited for. */
export const cpuSecondsOf = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold blanks and parentheses. Behind it: state (field 3), … utime, stime, cutime, cstime (14 to 17).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
};

/** Bytes; undefined when the process is gone. */
export const peakRssOf = (pid: number): number | undefined => {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
};

/** The peak begins anew at what the process has now. `false`: not allowed here, it goes back to the start of the process. */
export const resetPeakRss = (pid: number): Promise<boolean> => writeFile(`/proc/${pid}/clear_refs`, '5').then(() => true, () => false);

/** Ids of all processes below it. */
export const descendantsOf = (pid: number): number[] => {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
};

export const commandNameOf = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
};
