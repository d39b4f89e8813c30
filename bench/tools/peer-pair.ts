/** Ours: a rendezvous and two linked peers, as built, the second of which takes everything. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programs } from '../../e2e/harness/process.ts';
import { type Peer, World } from '../../e2e/harness/world.ts';
import { runCommand } from '../measure/command.ts';
import { during } from '../measure/process-usage.ts';
import { timed } from '../measure/timed.ts';
import { addUsage, type Sample } from '../measure/usage.ts';

export type Durability = 'none' | 'transfer';

/** Of a Unix socket's path; behind a longer one the world lives under a short name. */
const maxSocketPath = 107;
/** A transfer that takes longer hangs. */
const sendLimitMs = 15 * 60_000;

export interface Sent extends Sample {
  readonly id: string;
  /** The name at the receiver. */
  readonly savedAs: string;
}

interface SendEvent {
  readonly event: string;
  readonly id: string;
  readonly savedAs?: readonly string[];
}

export class PeerPair implements AsyncDisposable {
  readonly sender: Peer;
  readonly receiver: Peer;
  readonly #stack: AsyncDisposableStack;

  private constructor(sender: Peer, receiver: Peer, stack: AsyncDisposableStack) {
    this.sender = sender;
    this.receiver = receiver;
    this.#stack = stack;
  }

  static async open(directory: string, durability: Durability, signal: AbortSignal): Promise<PeerPair> {
    signal.throwIfAborted();
    await using opening = new AsyncDisposableStack();
    const world = opening.use(await World.create(await shortened(directory, opening)));
    await world.rendezvous();
    const args = ['--accept', 'auto', '--durability', durability, '--log-level', 'info'];
    const [sender, receiver] = await world.peersInOneRoom(['alice', 'bob'], { args });
    signal.throwIfAborted();
    await sender.json('connect', 'bob');
    // Only a contact's offer to write over a file is taken without a person.
    await receiver.json('trust', 'alice');
    return new PeerPair(sender, receiver, opening.move());
  }

  get destination(): string {
    return this.receiver.inboxDirectory;
  }

  /** Both daemons, by the name that reports show. */
  get processes(): { name: string; pid: number }[] {
    return [this.sender, this.receiver].map((peer, index) => {
      if (!peer.daemon) throw new Error(`${peer.name} does not run`);
      return { name: index === 0 ? 'peerd (sender)' : 'peerd (receiver)', pid: peer.daemon.pid };
    });
  }

  /** `peerctl send`, from its start to its end. */
  async send(source: string, stop: AbortSignal, args: readonly string[] = []): Promise<Sent> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(sendLimitMs)]);
    const argv = [process.execPath, programs.peerctl, '--socket', this.sender.socket, '--json', 'send', 'bob', source, ...args];
    let stdout = '';
    const { result, usage } = await during(this.processes, () =>
      timed(async () => {
        const done = await runCommand({ label: 'peerctl', argv, signal, env: this.sender.environment, cwd: this.sender.directory });
        stdout = done.stdout;
        return done;
      }));
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as SendEvent;
    const [savedAs] = last.savedAs ?? [];
    if (last.event !== 'done' || savedAs === undefined) throw new Error(`peerctl send ended with ${JSON.stringify(last)}`);
    return { id: last.id, savedAs, seconds: result.seconds, ...addUsage(result, usage) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const shortened = async (directory: string, stack: AsyncDisposableStack): Promise<string> => {
  if (Buffer.byteLength(join(directory, 'alice/run/peerd.sock')) <= maxSocketPath) return directory;
  const parent = await mkdtemp(join(tmpdir(), 'pb-'));
  stack.defer(() => rm(parent, { recursive: true, force: true }));
  const link = join(parent, 'w');
  await symlink(directory, link);
  return link;
};
