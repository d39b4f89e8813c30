import { type LinkMessage, PeerdError, type PeerId, type TransferId } from '@peerd/protocol';
import type { ControlConnection } from './control-connection.ts';
import { Inbox } from './inbox.ts';
import { LinkData, type LinkDataContext } from './link-data.ts';
import type { DataConnection, Link } from './ports.ts';

/** The selected control connection of a pair, as its users see it. */
export class ActiveLink implements Link {
  readonly peer: PeerId;
  readonly name: string;
  readonly publicKey: Buffer;
  readonly dialled: boolean;
  readonly remote: { readonly host: string; readonly port: number };
  readonly since: number = Date.now();
  readonly signal: AbortSignal;
  readonly connection: ControlConnection;
  readonly #ended = new AbortController();
  readonly #data: LinkData;
  readonly #inbox: Inbox;
  #draining: Promise<void> | undefined;

  /** `failed`: a user of the link could not go on with it. */
  constructor(connection: ControlConnection, context: LinkDataContext, failed: (error: PeerdError) => void) {
    this.connection = connection;
    this.peer = connection.channel.peerId;
    this.name = connection.name;
    this.publicKey = connection.channel.peerPublicKey;
    this.dialled = connection.dialled;
    this.remote = connection.channel.remote;
    this.signal = this.#ended.signal;
    this.#data = new LinkData(this, context);
    this.#inbox = new Inbox(async (message) => {
      for (const user of context.deps.users) {
        const busy = user.message(this, message);
        if (busy) await busy;
      }
    }, failed, () => !context.deps.policy.isContact(this.peer));
  }

  exportKeyingMaterial(length: number, label: string): Buffer {
    return this.connection.channel.exportKeyingMaterial(length, label);
  }

  async send(frame: Buffer): Promise<void> {
    this.signal.throwIfAborted();
    if (this.connection.channel.send(frame)) return;
    // All who wait share one wait.
    this.#draining ??= this.connection.channel.drained().finally(() => (this.#draining = undefined));
    try {
      await this.#draining;
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  openData(transfer: TransferId, signal: AbortSignal): Promise<DataConnection> {
    return this.#data.open(transfer, signal);
  }

  /** A message that arrived on the connection. A promise pauses reading. */
  receive(message: LinkMessage, bytes: number): Promise<void> | undefined {
    switch (message.kind) {
      case 'data-request':
        this.#data.onRequest(message.body);
        return undefined;
      case 'data-token':
        this.#data.onToken(message.body);
        return undefined;
      default:
        return this.#inbox.push(message, bytes);
    }
  }

  /** The link is over for its users: waiting messages are dropped, data connections end. */
  end(reason: PeerdError): void {
    if (this.signal.aborted) return;
    this.#ended.abort(reason);
    this.#inbox.stop();
    this.#data.end(reason);
  }
}
