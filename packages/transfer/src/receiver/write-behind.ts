/** Writes that run behind the frames, bounded in number and bytes. The first failure stops what comes after it. */
export class WriteBehind {
  readonly #maxJobs: number;
  readonly #maxBytes: number;
  readonly #active = new Set<Promise<void>>();
  #bytes = 0;
  #failure: Error | undefined;

  constructor(limits: { jobs: number; bytes: number }) {
    this.#maxJobs = limits.jobs;
    this.#maxBytes = limits.bytes;
  }

  /** @throws the failure of an earlier job */
  assertHealthy(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Starts the job at once; resolves when another may come. @throws the failure of an earlier job */
  async run(bytes: number, job: () => Promise<void>): Promise<void> {
    this.assertHealthy();
    this.#bytes += bytes;
    const running = this.#contained(bytes, job);
    this.#active.add(running);
    void running.finally(() => this.#active.delete(running));
    while (this.#active.size >= this.#maxJobs || this.#bytes > this.#maxBytes) await Promise.race(this.#active);
    this.assertHealthy();
  }

  /** Nothing is under way any more. Never rejects. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
  }

  /** The cause of the failure may be gone, so it is tried again. */
  forgetFailure(): void {
    this.#failure = undefined;
  }

  async #contained(bytes: number, job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#bytes -= bytes;
    }
  }
}
