/**
 * Work that runs ahead, bounded by bytes. Pieces are produced at the same time and go out in the order in which
 * they were added.
 */
export class OrderedWindow<Piece> {
  readonly #limit: number;
  readonly #consume: (piece: Piece) => Promise<void>;
  #held = 0;
  #tail: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** @param limit bytes that may be read and not consumed */
  constructor(limit: number, consume: (piece: Piece) => Promise<void>) {
    this.#limit = limit;
    this.#consume = consume;
  }

  /** Resolves when more may be added. One caller at a time. @throws the first error of a producer or of the consumer */
  async add(bytes: number, produce: () => Promise<Piece>): Promise<void> {
    while (this.#held > 0 && this.#held + bytes > this.#limit && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#held += bytes;
    const piece = produce();
    this.#tail = this.#pass(this.#tail, piece, bytes);
  }

  /** Everything that was added has been consumed. @throws as `add` */
  async drained(): Promise<void> {
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Never rejects, and ends after everything that was added before. */
  async #pass(before: Promise<void>, producing: Promise<Piece>, bytes: number): Promise<void> {
    const [produced] = await Promise.allSettled([producing, before]);
    try {
      if (produced.status === 'rejected') throw produced.reason;
      if (this.#failure === undefined) await this.#consume(produced.value);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#held -= bytes;
    this.#wake?.();
    this.#wake = undefined;
  }
}
