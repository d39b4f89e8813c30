/** A person who sends something with a key, again when it failed, until it is there, and then once more. */
import { createReadStream } from 'node:fs';
import type { Peer } from '../harness/world.ts';
import type { Prepared } from './load.ts';

/** The longest that is waited once the fault is gone. */
export const settleMs = 60_000;

export interface Sent {
  readonly load: Prepared;
  /** How the attempts that failed ended: codes of the registry. */
  readonly failed: readonly string[];
  /** Before the fault began. */
  readonly early: boolean;
}

/** Where the fault of a run is. */
export interface Course {
  phase: 'before' | 'there' | 'gone';
  readonly gone: Promise<void>;
  /** The person goes home. */
  readonly signal: AbortSignal;
}

/** @throws Error when an attempt that began after the fault did not succeed */
export const sendUntilThere = async (from: Peer, to: Peer, load: Prepared, course: Course): Promise<Sent> => {
  const failed: string[] = [];
  for (;;) {
    const after = course.phase === 'gone';
    const code = await attempt(from, to, load, course.signal);
    if (code === undefined) {
      const early = course.phase === 'before';
      await course.gone;
      await repeat(from, to, load, course.signal);
      return { load, failed, early };
    }
    failed.push(code);
    if (after) throw new Error(`${load.name}: was sent again after the fault, and failed again: ${failed.join(', ')}`);
    await course.gone;
    // One sends to whom one sees.
    await from.seesPeers((peers) => peers.some(({ id }) => id === to.id));
  }
};

/** Not sure whether it was sent, and once more: the same transfer answers, and nothing is delivered again. */
const repeat = async (from: Peer, to: Peer, load: Prepared, signal: AbortSignal): Promise<void> => {
  const code = await attempt(from, to, load, signal);
  if (code !== undefined) throw new Error(`${load.name}: is there, and sending it again with its key failed: ${code}`);
};

/** @returns why it failed */
const attempt = async (from: Peer, to: Peer, { kind, name, path, key, limitRate }: Prepared, signal: AbortSignal): Promise<string | undefined> => {
  const options = ['--id', key, '--limit-rate', String(limitRate), ...(kind === 'replace' ? ['--conflict', 'overwrite'] : [])];
  const command = from.command(['--json', 'send', to.id, ...(kind === 'stdin' ? ['-', '--name', name] : [path]), ...options], { stdin: kind === 'stdin' ? 'pipe' : 'ignore' });
  if (kind === 'stdin' && command.child.stdin) {
    // A daemon that is killed leaves the upload without a reader.
    command.child.stdin.on('error', () => {});
    createReadStream(path).pipe(command.child.stdin);
  }
  const leave = (): void => void command.child.kill('SIGKILL');
  signal.addEventListener('abort', leave, { once: true });
  const { code, stdout, stderr } = await command.result;
  signal.removeEventListener('abort', leave);
  if (code === 0) return undefined;
  const last = (text: string): string => text.trim().split('\n').at(-1) ?? '';
  for (const line of [last(stdout), last(stderr)]) {
    try {
      const { error, event } = JSON.parse(line) as { error?: { code: string }; event?: string };
      if (error) return error.code;
      if (event === 'failed' || event === 'cancelled' || event === 'rejected') return event;
    } catch {
      // Not JSON.
    }
  }
  return `exit ${code}`;
};
