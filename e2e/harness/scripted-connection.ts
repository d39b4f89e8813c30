/** One connection of a scripted peer: the test says every byte, and reads only while it wants to. */
import { close as closeMessage, encodeCbor, encodeFrame, type Frame, type MessageDefinition, type MessageSet, PeerdError, ping, pong } from '@peerd/protocol';
import { type Channel, closeReason } from '@peerd/service';

interface Heard {
  readonly kind: string;
  readonly body: unknown;
}

const patienceMs = 20_000;

export class ScriptedConnection<M extends Heard> implements Disposable {
  readonly channel: Channel;
  /** Every message so far, in order. */
  readonly heard: M[] = [];
  /** Resolves, when the other side has ended the connection, with the code it gave, or with `none`. */
  readonly ended: Promise<string>;
  /** Answers `ping`, as who does not is dropped after 15 s. */
  answersPings = true;
  readonly #set: MessageSet<M>;
  readonly #news = new EventTarget();
  #isOver = false;
  #taken = new Set<M>();
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(channel: Channel, frames: AsyncGenerator<Frame, void, void>, set: MessageSet<M>) {
    this.channel = channel;
    this.#set = set;
    channel.expect(set.bounds);
    this.ended = this.#read(frames);
  }

  /** Any bytes at all. */
  write(bytes: Uint8Array): void {
    this.channel.send(bytes);
  }

  /** Any frame. */
  frame(type: number, payload: Uint8Array): void {
    this.write(encodeFrame(type, payload));
  }

  /** A message whose fields nobody has checked. */
  say(definition: Pick<MessageDefinition, 'type'>, body: unknown): void {
    this.frame(definition.type, encodeCbor(body));
  }

  /** The next message of this kind that was not taken yet, of before or to come. @throws when the connection ends, or nothing comes */
  async next<K extends M['kind']>(kind: K, fits: (body: Extract<M, { kind: K }>['body']) => boolean = () => true): Promise<Extract<M, { kind: K }>['body']> {
    return (await this.nextOf([kind], (message) => fits(message.body))).body;
  }

  /** The same of several kinds. */
  async nextOf(kinds: readonly M['kind'][], fits: (message: M) => boolean): Promise<M> {
    const patience = AbortSignal.timeout(patienceMs);
    for (;;) {
      const found = this.heard.find((message) => kinds.includes(message.kind) && !this.#taken.has(message) && fits(message));
      if (found) {
        this.#taken.add(found);
        return found;
      }
      if (this.#isOver || patience.aborted)
        throw new Error(`${kinds.join(' or ')} ${this.#isOver ? 'can not come any more' : 'did not come'}; heard were ${this.heard.map(({ kind: one }) => one).slice(-20).join(', ') || 'no messages'}`);
      await this.#changed(patience);
    }
  }

  /** From now on what comes stays in the kernel, and then at the other side. */
  stopReading(): void {
    this.#gate ??= Promise.withResolvers();
  }

  goOnReading(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Ends it without a word. */
  [Symbol.dispose](): void {
    this.goOnReading();
    this.channel.destroy(new PeerdError('cancelled', 'the script is over'));
  }

  async #read(frames: AsyncGenerator<Frame, void, void>): Promise<string> {
    let code = 'none';
    try {
      for await (const frame of frames) {
        await this.#gate?.promise;
        if (frame.type === closeMessage.type) code = closeReason(frame.payload).code;
        else if (frame.type === ping.type && this.answersPings) this.frame(pong.type, frame.payload);
        const message = this.#set.read(frame);
        if (message) this.heard.push(message);
        this.#news.dispatchEvent(new Event('news'));
      }
    } catch {
      // However it ended, the code says why.
    }
    this.#isOver = true;
    this.#news.dispatchEvent(new Event('news'));
    return code;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#news.removeEventListener('news', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#news.addEventListener('news', done);
      signal.addEventListener('abort', done);
    });
  }
}
