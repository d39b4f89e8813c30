/**
 * What a socket brings, piece by piece as it comes: nothing is put together before somebody knows where it belongs.
 *
 * Pulled: at most one piece is held here, and the socket is paused meanwhile. What goes on with a frame that has begun is
 * taken at once, so that a large frame wakes its reader only when it is complete.
 */
import type { Socket } from 'node:net';

/**
 * Gives the memory of a piece back at once. Left to the garbage collector, 16 KiB with each small object make it walk the
 * whole heap every 64 MiB, which costs more than decrypting them.
 */
const free = ({ buffer, byteLength }: Buffer): void => {
  // Not where others have a part of it. A piece that a socket has read has memory of its own.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};

export class Inflow implements Disposable {
  readonly #socket: Socket;
  readonly #absorb: (piece: Buffer) => boolean;
  readonly #held: Buffer[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  /** @param absorb copies a piece without anybody being woken, or says `false`; called only while somebody waits for a piece */
  constructor(socket: Socket, absorb: (piece: Buffer) => boolean) {
    this.#socket = socket;
    this.#absorb = absorb;
    if (socket.readableEnded) this.#ended = true;
    else if (socket.destroyed) this.#failure = new Error('the socket was closed');
    socket.on('data', this.#onData).once('end', this.#onEnd).once('error', this.#onError).once('close', this.#onClose);
  }

  /** `undefined`: the other side ended the stream. One caller at a time. @throws Error the socket failed or was destroyed before */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const piece = this.#held.shift();
      if (piece !== undefined) return piece;
      if (this.#ended) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket.resume();
      await promise;
    }
  }

  /** Leaves the socket paused. */
  [Symbol.dispose](): void {
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    this.#socket.pause();
  }

  readonly #onData = (piece: Buffer): void => {
    if (this.#wake !== undefined && this.#absorb(piece)) return free(piece);
    this.#socket.pause();
    this.#held.push(piece);
    this.#awake();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#awake();
  };

  readonly #onError = (error: Error): void => {
    this.#failure = error;
    this.#awake();
  };

  readonly #onClose = (): void => {
    if (!this.#ended) this.#failure ??= new Error('the socket was closed');
    this.#awake();
  };

  #awake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
