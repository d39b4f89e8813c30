/** A real transfer, with the system calls of both daemons. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../../harness/process.ts';
import type { Peer } from '../../harness/world.ts';
import { traced } from '../system.ts';
import { orderProblems, type Reception } from './order.ts';
import { readStrace } from './strace-log.ts';

const calls = 'open,openat,write,writev,pwrite64,pwritev,ftruncate,copy_file_range,fsync,fdatasync,rename,renameat,renameat2,link,linkat';
/** Flushing takes long, as on a busy disk: who does not wait for it is found out. The database alone is flushed by `fdatasync`, and soon: more than one of its commits lies between a log and the wire, and would hide that nobody waited for the log. */
const delays = ['inject=fsync:delay_enter=300000', 'inject=fdatasync:delay_enter=20000'].flatMap((delay) => ['-e', delay]);
const settleMs = 20_000;

/** @param send starts `peerctl send` @param names that arrive @throws Error when the transfer fails */
export const tracedSend = async (from: Peer, to: Peer, names: readonly string[], send: () => Command): Promise<Reception> => {
  const peers = [from, to];
  const outputs = peers.map(({ directory }) => join(directory, 'strace.txt'));
  const descriptors = peers.map(({ daemon }) => descriptorsOf(daemon?.pid ?? 0));
  const traces = await Promise.all(peers.map(({ daemon }, index) => traced(daemon?.pid ?? 0, ['-y', '-ttt', '-T', '-s', '512', '-e', `trace=${calls}`, ...delays], outputs[index])));
  const { code, stderr } = await send().result;
  const toldAt = Date.now() / 1_000;
  const state = (peer: Peer): string => realpathSync(join(peer.directory, 'state'));
  const seen = (): Reception => {
    const [sender = [], receiver = []] = outputs.map((output, index) => readStrace(readFileSync(output, 'utf8'), descriptors[index]));
    return { sender, receiver, destination: realpathSync(to.inboxDirectory), receiverState: state(to), senderState: state(from), names, toldAt };
  };
  if (code === 0) await settled(seen);
  for (const trace of traces) await trace.end();
  if (code !== 0) throw new Error(`the send failed: ${stderr}`);
  return seen();
};

/** The receiver still has to hear, and to store, that its receipt is known. */
const settled = async (seen: () => Reception): Promise<void> => {
  for (let waited = 0; waited < settleMs && orderProblems(seen()).length > 0; waited += 500) await sleep(500);
};

const descriptorsOf = (pid: number): Map<string, string> => {
  const known = new Map<string, string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      known.set(descriptor, readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      // Closed meanwhile.
    }
  }
  return known;
};
