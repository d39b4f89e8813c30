/**
 * A channel: one TLS 1.3 connection whose both ends have shown their key, carrying frames.
 *
 * Reading is pulled: bytes are taken from the socket only as fast as `frames()` is consumed. Writing says when it is
 * full. When the connection ends, `signal` aborts with the reason, and everything that waits on the channel ends too.
 */
import { type TLSSocket } from 'node:tls';
import {
  type Announced, close as closeMessage, encodeMessage, formatAddress, type Frame, type FrameBounds, FrameDecoder, KiB, MiB, type PayloadRoom, PeerdError, type PeerId,
} from '@peerd/protocol';
import { Inflow } from './inflow.ts';

/** How long a closing channel may take to flush before it is destroyed. */
const closeGraceMs = 2_000;
/** What `put` leaves queued: a chunk of the usual size and its header. */
const putAheadBytes: number = MiB + 64 * KiB;

/** Silence before the first probe of TCP keepalive. */
const keepAliveMs = 30_000;

/** Where large payloads stand, and how long one may stand still. */
export interface Intake {
  /** This payload is taken in only when there is room for it. */
  needsRoom(announced: Announced): boolean;
  /** Resolves with room; nothing is read meanwhile. Frames that stand in it must be released. @throws the reason of `signal` */
  room(announced: Announced, signal: AbortSignal): Promise<PayloadRoom>;
  /** A frame that has begun, and of which nothing comes for so long, ends the channel. In ms; 0: none does. */
  readonly stallMs: number;
}

export class Channel {
  readonly peerId: PeerId;
  /** SubjectPublicKeyInfo in DER of the key that the other side has proved to hold. */
  readonly peerPublicKey: Buffer;
  readonly remote: { readonly host: string; readonly port: number };
  readonly local: { readonly host: string; readonly port: number };
  /** ALPN protocol that both sides agreed on. */
  readonly protocol: string;
  /** Aborts, with a PeerdError as reason, as soon as the connection ended or failed. */
  readonly signal: AbortSignal;

  readonly #socket: TLSSocket;
  readonly #ended = new AbortController();
  #bounds: FrameBounds;
  #intake: Intake | undefined;
  /** Of the caller of `put`. */
  #onWritten: (() => void) | undefined;
  #reading = false;
  #read = false;

  /** Takes over a TLS socket that is up and whose peer key has been checked. */
  constructor(socket: TLSSocket, peer: { id: PeerId; publicKey: Buffer }, bounds: FrameBounds) {
    this.#socket = socket;
    this.#bounds = bounds;
    this.peerId = peer.id;
    this.peerPublicKey = peer.publicKey;
    this.protocol = socket.alpnProtocol === false || socket.alpnProtocol === null ? '' : socket.alpnProtocol;
    this.remote = { host: unmapped(socket.remoteAddress), port: socket.remotePort ?? 0 };
    this.local = { host: unmapped(socket.localAddress), port: socket.localPort ?? 0 };
    this.signal = this.#ended.signal;
    socket.setNoDelay(true);
    // Whoever only waits for the other side to end a connection would never learn that the network forgot it.
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('error', (cause) => this.#end(new PeerdError('link_lost', `connection to ${formatAddress(this.remote)} failed: ${cause.message}`, { cause })));
    socket.on('close', () => this.#end(new PeerdError('link_lost', `connection to ${formatAddress(this.remote)} ended`)));
    // Set only while a frame is under way.
    socket.on('timeout', () => void this.close(new PeerdError('stalled', `nothing came from ${formatAddress(this.remote)} for ${socket.timeout} ms, within a frame`)));
  }

  /** The frame types that may arrive from now on, and where large ones stand. Applies to the next frame that is read. */
  expect(bounds: FrameBounds, intake?: Intake): void {
    this.#bounds = bounds;
    this.#intake = intake;
  }

  /**
   * Frames until the other side ends the stream. May be consumed once. Leaving the loop early doesn't end the channel.
   *
   * @throws PeerdError `frame_too_large`; the reason of `signal` if the connection failed or was destroyed here
   */
  async *frames(): AsyncGenerator<Frame, void, void> {
    if (this.#read) throw new Error('the frames of a channel can be read once');
    this.#read = true;
    this.#reading = true;
    // The decoder asks for the bound of a type when its header is complete, so a change applies at a frame boundary.
    const decoder = new FrameDecoder({ get: (type) => this.#bounds.get(type) }, (announced) => this.#intake?.needsRoom(announced) === true);
    try {
      using inflow = new Inflow(this.#socket, (piece) => decoder.absorb(piece));
      const next = (): Promise<Buffer | undefined> => this.#next(inflow, decoder.pending > 0);
      for (let bytes = await next(); bytes !== undefined; bytes = await next()) {
        // After `close` what still arrives is read away.
        if (this.signal.aborted) continue;
        yield* decoder.push(bytes);
        for (let wanted = decoder.wanted; wanted && this.#intake && !this.signal.aborted; wanted = decoder.wanted) yield* decoder.provide(await this.#intake.room(wanted, this.signal));
      }
    } catch (error) {
      if (error instanceof PeerdError) throw error;
      throw this.signal.reason ?? error;
    } finally {
      this.#reading = false;
      decoder.end();
      // As in `close`.
      if (this.signal.aborted) this.#socket.resume();
    }
    if (decoder.pending > 0) throw this.signal.reason ?? new PeerdError('link_lost', `connection to ${formatAddress(this.remote)} ended within a frame`);
  }

  /** Queues bytes. `false` means full: wait for `drained` before the next one. Bytes for an ended channel are dropped. */
  send(frame: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    return this.#socket.write(frame);
  }

  /**
   * Queues several buffers as one write, and resolves when another may come: while the kernel takes one, the next is encrypted.
   * A single buffer is encrypted where it stands; several are put together first. One caller at a time.
   *
   * @param release nothing reads them any more
   * @throws the reason of the channel's end
   */
  async put(buffers: readonly Uint8Array[], release?: () => void): Promise<void> {
    this.signal.throwIfAborted();
    const last = buffers.at(-1);
    if (last === undefined || this.#socket.destroyed || this.#socket.writableEnded) return;
    const written = (): void => {
      release?.();
      this.#onWritten?.();
    };
    this.#socket.cork();
    for (const buffer of buffers) this.#socket.write(buffer, buffer === last ? written : undefined);
    this.#socket.uncork();
    while (this.#socket.writableLength > putAheadBytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onWritten = resolve;
      await this.#orEnded(promise);
    }
  }

  /** Bytes that are queued but not handed to the kernel. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when more may be queued. @throws the reason of the channel's end */
  async drained(): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.#socket.writableNeedDrain) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve);
    try {
      await this.#orEnded(promise);
    } finally {
      this.#socket.off('drain', resolve);
    }
  }

  /** Sends `close` with the reason, flushes, and ends the connection. Returns when it is closed. */
  async close(reason: PeerdError, retryAfterMs?: number): Promise<void> {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) {
      const body = { code: reason.code, message: reason.message.slice(0, 256), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      this.#socket.end(encodeMessage(closeMessage, body));
    }
    const grace = setTimeout(() => this.#socket.destroy(), closeGraceMs);
    this.#ended.abort(reason);
    // What still arrives is read away: a socket with unread bytes would be reset, and the reason lost with it.
    if (!this.#reading) this.#socket.resume();
    await this.#closed();
    clearTimeout(grace);
  }

  /** Sends `close` with the reason and ends the connection without waiting for the other side: for those of whom there are too many. */
  dismiss(reason: PeerdError): void {
    if (this.#socket.writableEnded) {
      this.#socket.destroy();
      return;
    }
    this.#socket.write(encodeMessage(closeMessage, { code: reason.code, message: reason.message.slice(0, 256) }));
    this.#socket.destroySoon();
  }

  /** Ends the write side after everything queued was sent; the other side sees the end of the stream. */
  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  /** Ends the connection at once. */
  destroy(reason: PeerdError): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  /** RFC 8446 §7.5: bytes that only the two ends of this connection know. */
  exportKeyingMaterial(length: number, label: string): Buffer {
    return this.#socket.exportKeyingMaterial(length, label, Buffer.alloc(0));
  }

  /** What waits for its reader, or for room, is not late: time counts while nothing but bytes is missing. */
  async #next(inflow: Inflow, isWithinFrame: boolean): Promise<Buffer | undefined> {
    this.#socket.setTimeout(isWithinFrame ? (this.#intake?.stallMs ?? 0) : 0);
    try {
      return await inflow.next();
    } finally {
      this.#socket.setTimeout(0);
    }
  }

  /** @throws the reason of the channel's end */
  async #orEnded(waiting: Promise<void>): Promise<void> {
    this.signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const onEnd = (): void => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', onEnd, { once: true });
    try {
      await Promise.race([waiting, promise]);
    } finally {
      this.signal.removeEventListener('abort', onEnd);
    }
  }

  #closed(): Promise<void> {
    if (this.#socket.closed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('close', () => resolve());
    return promise;
  }

  /** The first cause wins. */
  #end(reason: PeerdError): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
  }
}

/** `::ffff:192.0.2.1` → `192.0.2.1` */
const unmapped = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
