/** All that was started in a place: once it is closed nothing of it runs, and nothing starts there any more. */
import type { ChildProcess } from 'node:child_process';

interface Started {
  readonly child: ChildProcess;
  end(signal: 'SIGKILL'): Promise<unknown>;
}

export class Processes {
  readonly #running = new Set<Started>();
  #closed = false;

  /** @throws Error when the place is closed */
  start<P extends Started>(make: () => P): P {
    if (this.#closed) throw new Error('the world is gone: nothing starts in it any more');
    const process = make();
    this.#running.add(process);
    process.child.once('close', () => this.#running.delete(process));
    return process;
  }

  /** Kills what runs; resolves when all of it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((process) => process.end('SIGKILL')));
  }
}
