/** What a receiver says to its sender. */
import { cancel, encodeMessage, failed, have, progress, receipt, reject, type TransferId } from '@peerd/protocol';
import type { Receiver } from '@peerd/transfer';
import type { Link } from '../peer/ports.ts';
import { abortable } from './abortable.ts';
import { clipped } from './ends.ts';
import type { LiveRecord } from './live-record.ts';
import type { Posts } from './posts.ts';

export class ReceiverVoice {
  readonly #posts: Posts;
  readonly #live: LiveRecord;
  /** A progress message waits to be taken by the link. */
  #sayingProgress = false;

  constructor(posts: Posts, live: LiveRecord) {
    this.#posts = posts;
    this.#live = live;
  }

  say(link: Link | undefined, frame: Buffer): void {
    if (link) this.#posts.post(link, frame);
  }

  /** How it ended: with proof when there is one, and with the last counters before it. */
  end(link: Link | undefined): void {
    const { id: transfer, state, error, receipt: signed, savedAs } = this.#live.record;
    if (signed) {
      this.say(link, this.#progress());
      return this.say(link, encodeMessage(receipt, { transfer, body: signed.body, signature: signed.signature, savedAs: [...savedAs] }));
    }
    const message = clipped(error?.message ?? '');
    const code = error?.code ?? 'internal';
    if (state === 'rejected') return this.say(link, encodeMessage(reject, { transfer, code, message }));
    this.say(link, state === 'failed' ? encodeMessage(failed, { transfer, code, message }) : encodeMessage(cancel, { transfer, message }));
  }

  /** Left out while an earlier one waits: the next one says it better. */
  progress(link: Link | undefined): void {
    if (!link || link.signal.aborted || this.#sayingProgress) return;
    this.#sayingProgress = true;
    const taken = (): void => {
      this.#sayingProgress = false;
    };
    link.send(this.#progress()).then(taken, taken);
  }

  #progress(): Buffer {
    const { id: transfer, bytesDone, received, reused, rewritten } = this.#live.record;
    return encodeMessage(progress, { transfer, bytesDone, received, reused, rewritten, writeMs: Math.round(this.#live.stages.write) });
  }
}

/** Every run of chunks that is there, the last one marked. @throws the reason of the link's end or of `signal` */
export const sayHave = async (link: Link, transfer: TransferId, receiver: Receiver, signal: AbortSignal): Promise<void> => {
  let run: { start: number; hashes: Buffer } = { start: 0, hashes: Buffer.alloc(0) };
  const say = (last: boolean): Promise<void> => abortable(link.send(encodeMessage(have, { transfer, ...run, last })), signal);
  for (const next of receiver.have()) {
    if (run.hashes.length > 0) await say(false);
    run = next;
  }
  await say(true);
};
