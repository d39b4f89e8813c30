/** Follows the chain of a log of receipts from its first entry and names the first that is not as it was written. */
import { peerIdOfPublicKey, type PeerId } from '../ids.ts';
import { decodeReceiptBody, type ReceiptBody } from '../messages/receipt.ts';
import { type DecodedReceiptEntry, firstReceiptLink, type ReceiptLogRecord } from './log-entry.ts';

export const receiptProblems = ['header', 'changed', 'removed', 'reordered', 'added', 'signature', 'torn', 'truncated'] as const;

export interface ReceiptProblem {
  /**
   * `header`: it is no log. `changed`: the bytes of an entry, or the link to it. `removed`: entries are missing before
   * others. `reordered`: entries stand in another order. `added`: entries follow the last one. `signature`: a receipt is not signed by its receiver, or not ours.
   * `torn`: the file ends within an entry. `truncated`: the last entries are missing.
   */
  readonly kind: (typeof receiptProblems)[number];
  /** The first entry that is concerned, counted from 1. */
  readonly seq: number;
  /** Where in the file it was found, in bytes. */
  readonly offset: number;
  readonly message: string;
}

/** The newest entry that was reported as written. */
export interface ReceiptHead {
  readonly seq: number;
  readonly hash: Uint8Array;
}

export interface ReceiptChainOptions {
  /** Whose log it is. */
  readonly self: PeerId;
  /** Kept apart from the log, so that a missing end is found; `undefined`: nothing was written. */
  readonly head: ReceiptHead | undefined;
  readonly verifySignature: (publicKey: Buffer, bytes: Uint8Array, signature: Uint8Array) => boolean;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class ReceiptChain {
  readonly #options: ReceiptChainOptions;
  #seq = 0;
  #link: Uint8Array = firstReceiptLink;
  #problem: ReceiptProblem | undefined;

  constructor(options: ReceiptChainOptions) {
    this.#options = options;
  }

  /** Entries from the first one on that are as they were written. */
  get intact(): number {
    return this.#seq;
  }

  get problem(): ReceiptProblem | undefined {
    return this.#problem;
  }

  /** The next entry of the file. After the first problem it is only looked at to tell what has happened. */
  take(entry: DecodedReceiptEntry, offset: number): void {
    if (this.#problem) return this.#reconsider(entry);
    const seq = this.#seq + 1;
    const problem = this.#check(entry, seq);
    if (problem) {
      this.#problem = { ...problem, seq, offset };
    } else if (entry.kind === 'entry') {
      this.#seq = seq;
      this.#link = entry.hash;
    }
  }

  /** The file does not begin as a log. */
  headerDamaged(): void {
    this.#problem ??= { kind: 'header', seq: 1, offset: 0, message: 'the file does not begin as a log of receipts' };
  }

  /** @param offset the end of the file */
  finish(offset: number): ReceiptProblem | undefined {
    const { head } = this.#options;
    if (head && this.#seq < head.seq) {
      const missing = head.seq - this.#seq;
      this.#problem ??= { kind: 'truncated', seq: this.#seq + 1, offset, message: `the log ends after entry ${this.#seq}: the last ${missing === 1 ? 'one is' : `${missing} are`} missing` };
    }
    return this.#problem;
  }

  #check(entry: DecodedReceiptEntry, seq: number): Pick<ReceiptProblem, 'kind' | 'message'> | undefined {
    if (seq > (this.#options.head?.seq ?? 0)) return { kind: 'added', message: 'something stands behind the last entry' };
    if (entry.kind === 'incomplete') return { kind: 'torn', message: `the log ends within entry ${seq}` };
    if (entry.kind === 'damaged') return { kind: 'changed', message: `entry ${seq} was changed: ${entry.reason}` };
    const { record, hash } = entry;
    const { head } = this.#options;
    if (record.seq > seq) return { kind: 'removed', message: `entry ${record.seq} stands where entry ${seq} should be: ${record.seq - seq === 1 ? 'one was' : `${record.seq - seq} were`} removed` };
    if (record.seq < seq) return { kind: 'reordered', message: `entry ${record.seq} stands where entry ${seq} should be` };
    if (!same(record.previous, this.#link)) return { kind: 'changed', message: `entry ${seq} does not follow entry ${seq - 1}: one of them was changed` };
    if (head?.seq === seq && !same(head.hash, hash)) return { kind: 'changed', message: `entry ${seq} is not the one that was written` };
    return this.#checkReceipt(record);
  }

  #checkReceipt({ seq, role, body: bytes, signature, signer }: ReceiptLogRecord): Pick<ReceiptProblem, 'kind' | 'message'> | undefined {
    const wrong = (what: string): Pick<ReceiptProblem, 'kind' | 'message'> => ({ kind: 'signature', message: `the receipt in entry ${seq} ${what}` });
    let body: ReceiptBody;
    try {
      body = decodeReceiptBody(bytes);
    } catch {
      return wrong('cannot be read');
    }
    if (peerIdOfPublicKey(signer) !== body.receiver) return wrong('is not signed with the key of its receiver');
    if (body[role === 'sent' ? 'sender' : 'receiver'] !== this.#options.self) return wrong(`is not one of what was ${role} here`);
    return isSigned(this.#options, Buffer.from(signer), bytes, signature) ? undefined : wrong('has a wrong signature');
  }

  /** What seemed to be removed stands further down. */
  #reconsider(entry: DecodedReceiptEntry): void {
    const problem = this.#problem;
    if (problem?.kind !== 'removed' || entry.kind !== 'entry' || entry.record.seq !== problem.seq) return;
    this.#problem = { ...problem, kind: 'reordered', message: `entry ${problem.seq} stands behind entries that followed it` };
  }
}

/** A key that is none makes the check throw. */
const isSigned = ({ verifySignature }: ReceiptChainOptions, signer: Buffer, bytes: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return verifySignature(signer, bytes, signature);
  } catch {
    return false;
  }
};
