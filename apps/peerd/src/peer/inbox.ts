import { type LinkMessage, MiB, PeerdError } from '@peerd/protocol';
import { strangerBytes } from './stranger-room.ts';

/** Messages and bytes that may wait for their users before reading pauses: one message more than fits. */
const maxMessages = 64;
const maxBytes: number = MiB;

/**
 * Gives the messages of one link to their users, one after the other, while the reader goes on: a slow user delays neither
 * heartbeats nor the messages of the peer layer. When too much waits, the reader has to.
 */
export class Inbox {
  readonly #deliver: (message: LinkMessage) => Promise<void>;
  readonly #failed: (error: PeerdError) => void;
  readonly #isStranger: () => boolean;
  readonly #waiting: { message: LinkMessage; bytes: number }[] = [];
  #bytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #running = false;
  #stopped = false;

  /** `failed` is called once, with what a user threw. `isStranger` is asked each time: a person may make the peer a contact. */
  constructor(deliver: (message: LinkMessage) => Promise<void>, failed: (error: PeerdError) => void, isStranger: () => boolean) {
    this.#deliver = deliver;
    this.#failed = failed;
    this.#isStranger = isStranger;
  }

  /** A promise means full: read on when it resolves. */
  push(message: LinkMessage, bytes: number): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    if (!this.#running) void this.#run();
    if (!this.#isFull()) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** What still waits is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#room?.resolve();
  }

  #isFull(): boolean {
    return this.#waiting.length >= maxMessages || this.#bytes >= (this.#isStranger() ? strangerBytes : maxBytes);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        await this.#deliver(next.message);
      } catch (error) {
        if (this.#stopped) break;
        this.stop();
        this.#failed(error instanceof PeerdError ? error : new PeerdError('internal', `a message of type ${next.message.kind} could not be handled`, { cause: error }));
        break;
      }
      this.#bytes -= next.bytes;
      if (this.#room && !this.#isFull()) {
        this.#room.resolve();
        this.#room = undefined;
      }
    }
    this.#running = false;
  }
}
