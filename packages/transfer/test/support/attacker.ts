/** Starts the attacker of swapper.mjs: `nobody` where we may choose, else a process of our own user. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

export interface Orders {
  /** What stands at `at` goes away for a moment, and a link to `to` is there. */
  readonly swaps?: readonly { at: string; to: string }[];
  /** Two directories bear each other's name for a moment. */
  readonly trades?: readonly { at: string; with: string }[];
}

const nobody = 65_534;
// Not by its path: another user need not be able to read our files.
const script = readFileSync(new URL('./swapper.mjs', import.meta.url), 'utf8');

export class Attacker implements AsyncDisposable {
  /** Links and trades so far. */
  count = 0;
  readonly #child: ChildProcess;
  readonly #answers: Interface;

  constructor() {
    const user = process.geteuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
    this.#child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', ...user });
    this.#answers = createInterface({ input: this.#child.stdout ?? process.stdin });
  }

  /** Resolves when it is at work. */
  async attack(orders: Orders): Promise<void> {
    await this.#order(orders);
  }

  /** Resolves when it has stopped. */
  async stop(): Promise<void> {
    await this.#order({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    this.#child.kill();
    await exited;
  }

  async #order(orders: Orders): Promise<void> {
    const answer = once(this.#answers, 'line');
    this.#child.stdin?.write(`${JSON.stringify(orders)}\n`);
    this.count = Number((await answer)[0]);
  }
}
