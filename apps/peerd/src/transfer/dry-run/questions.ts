/** Asks receivers what a manifest would meet there (`compare`). They ask for its pages, and answer `compared`. */
import { type Compare, compare, type Compared, type ConflictPolicy, encodeMessage, manifestPage, PeerdError, type TransferId, type TransferMessage } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import type { Manifest } from '@peerd/transfer';
import type { Link } from '../../peer/ports.ts';
import { abortable } from '../abortable.ts';

interface Question {
  readonly link: Link;
  readonly manifest: Manifest;
  readonly signal: AbortSignal;
  readonly answered: (answer: Compared) => void;
  readonly failed: (error: unknown) => void;
  /** Pages are sent once: nothing is kept there that a second request could go on with. */
  paging: boolean;
}

/** Questions that are over and may still be heard of. */
const maxRemembered = 256;

export class Questions {
  readonly #open = new Map<TransferId, Question>();
  readonly #over = new Set<TransferId>();

  /** @throws the reason of `signal` or of the end of the link */
  async ask(link: Link, manifest: Manifest, conflict: ConflictPolicy, signal: AbortSignal): Promise<Compared> {
    const { entries, bytes, pages, manifestBytes, offerRoot } = manifest.summary;
    const body: Compare = { transfer: newUlid(Date.now()), entries, bytes, pages, manifestBytes, offerRoot, chunkSize: manifest.chunkSize, conflict };
    const { promise, resolve, reject } = Promise.withResolvers<Compared>();
    const ending = AbortSignal.any([signal, link.signal]);
    this.#open.set(body.transfer, { link, manifest, signal: ending, answered: resolve, failed: reject, paging: false });
    try {
      await abortable(link.send(encodeMessage(compare, body)), ending);
      return await abortable(promise, ending);
    } finally {
      this.#open.delete(body.transfer);
      this.#over.add(body.transfer);
      for (const oldest of this.#over) {
        if (this.#over.size <= maxRemembered) break;
        this.#over.delete(oldest);
      }
    }
  }

  /** @returns whether the message belongs to a question */
  message(link: Link, message: TransferMessage): boolean {
    const { transfer } = message.body;
    const question = this.#open.get(transfer);
    if (question?.link !== link) return this.#over.has(transfer) || message.kind === 'compared';
    if (message.kind === 'compared') {
      const { result } = message.body;
      if (result && isImpossible(result, question.manifest.summary.entries)) question.failed(new PeerdError('malformed_frame', 'compared: there are not so many entries'));
      else question.answered(message.body);
    } else if (message.kind === 'manifest-request' && !question.paging) {
      question.paging = true;
      this.#sendPages(transfer, question).catch((error: unknown) => question.failed(error));
    }
    return true;
  }

  async #sendPages(transfer: TransferId, { link, manifest, signal }: Question): Promise<void> {
    for (let index = 0; index < manifest.pages && this.#open.has(transfer); index += 1)
      await abortable(link.send(encodeMessage(manifestPage, { transfer, index, page: await manifest.page(index) })), signal);
  }
}

const isImpossible = (result: NonNullable<Compared['result']>, entries: number): boolean =>
  result.new + result.same + result.conflict > entries || [...result.sameEntries, ...result.conflictEntries].some((entry) => entry >= entries);
