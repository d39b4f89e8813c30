/** What runs beside the steps of a transfer. A task deals with its own failures. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();

  run(task: () => Promise<void>): void {
    const running = task().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when those that run now have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
