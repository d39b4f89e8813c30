/** Work that may wait its turn: so much at once, so much waiting, and no more. */
export class WorkQueue {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(limits: { readonly concurrency: number; readonly maxWaiting: number }) {
    this.#concurrency = limits.concurrency;
    this.#maxWaiting = limits.maxWaiting;
  }

  /** @param work that never rejects @returns false when it was not taken */
  add(work: () => Promise<void>): boolean {
    if (this.#closed || this.#waiting.length >= this.#maxWaiting) return false;
    this.#waiting.push(work);
    this.#next();
    return true;
  }

  /** Nothing more begins. Resolves with the number of works that were dropped, when what runs is over. */
  async close(): Promise<number> {
    this.#closed = true;
    const dropped = this.#waiting.splice(0).length;
    await Promise.all(this.#running);
    return dropped;
  }

  #next(): void {
    while (this.#running.size < this.#concurrency) {
      const work = this.#waiting.shift();
      if (!work) return;
      const running = work().finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
  }
}
