/** What Node.js can do at all: a bare TLS loop between two processes that are up, in front of which we stand. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadIdentity } from '@peerd/service';
import type { FloorKeys, ReceiveOrder, ReceiverSays, SenderSays, SendOrder } from '../floor/orders.ts';
import { during } from '../measure/process-usage.ts';
import { timed } from '../measure/timed.ts';
import { noUsage } from '../measure/usage.ts';
import type { Tool } from './tool.ts';

const program = (name: string): string => fileURLToPath(new URL(`../floor/${name}.ts`, import.meta.url));

/** One of the two processes: asked, it answers once. */
class FloorProcess implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(name: string) {
    this.name = `floor (${name})`;
    this.#child = fork(program(name), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    // Whoever waits hears of its end.
    this.#child.on('error', () => {});
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  tell(message: FloorKeys | ReceiveOrder | SendOrder): void {
    this.#child.send(message);
  }

  /** @throws Error when it fails or ends; the reason of `signal` */
  async hears<Says extends ReceiverSays | SenderSays>(signal: AbortSignal): Promise<Exclude<Says, { failure: string }>> {
    const ended = new AbortController();
    if (!this.#isRunning) throw new Error(`${this.name} ended`);
    const waiting = AbortSignal.any([signal, ended.signal]);
    const onExit = (): void => ended.abort(new Error(`${this.name} ended`));
    this.#child.once('exit', onExit);
    try {
      const [says] = (await once(this.#child, 'message', { signal: waiting })) as [Says];
      if ('failure' in says) throw new Error(`${this.name}: ${says.failure}`);
      return says as Exclude<Says, { failure: string }>;
    } catch (error) {
      throw waiting.aborted ? (waiting.reason as Error) : error;
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

export const floor: Tool = {
  name: 'bare TLS loop',
  needs: [],
  handles: ['file'],
  replaces: true,
  async open({ directory, signal }) {
    const destination = join(directory, 'in');
    await mkdir(destination);
    const { key, certificate } = await loadIdentity(join(directory, 'keys'));
    await using opening = new AsyncDisposableStack();
    const receiver = opening.use(new FloorProcess('receiver'));
    const sender = opening.use(new FloorProcess('sender'));
    receiver.tell({ key, cert: certificate });
    const { port } = (await receiver.hears<ReceiverSays>(signal)) as { port: number };
    sender.tell({ key, cert: certificate });
    await sender.hears<SenderSays>(signal);
    const processes = opening.move();
    return {
      destination,
      async copy({ source, existing, signal: stop }) {
        receiver.tell({ path: join(destination, basename(source)), existing });
        await receiver.hears<ReceiverSays>(stop);
        const { result, usage } = await during([sender, receiver], () =>
          timed(async () => {
            const received = receiver.hears<ReceiverSays>(stop);
            const sent = sender.hears<SenderSays>(stop);
            sender.tell({ path: source, port });
            await Promise.all([received, sent]);
            return noUsage;
          }));
        return { seconds: result.seconds, ...usage };
      },
      [Symbol.asyncDispose]: () => processes.disposeAsync(),
    };
  },
};
