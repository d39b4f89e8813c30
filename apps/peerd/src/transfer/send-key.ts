/** A send that is repeated under its key is the transfer of before, as long as that may still arrive or has arrived. */
import { createHash } from 'node:crypto';
import { PeerdError, type PeerId, type SendRequest } from '@peerd/protocol';
import type { TransferRecord } from './record.ts';
import type { TransferStore } from './store.ts';

/** After these, the same send is a new try. */
const mayBeTriedAgain: ReadonlySet<string> = new Set(['failed', 'rejected', 'cancelled']);

/** What a key stands for: what is sent, not how or to whom. Content that was uploaded goes by the path that it comes from. */
export const digestOf = ({ paths, spools = [], name, exclude = [], include = [] }: SendRequest): string =>
  createHash('sha256').update(JSON.stringify([[...paths, ...spools.map(({ path }) => path ?? '-')].toSorted(), name ?? null, exclude.toSorted(), include.toSorted()])).digest('hex');

/** The transfer that a repeated send to this peer stands for. @throws PeerdError `key_reused` */
export const findRepeated = async (store: TransferStore, peer: PeerId, key: string, digest: string): Promise<TransferRecord | undefined> => {
  const record = await store.withKey(peer, key);
  if (!record || mayBeTriedAgain.has(record.state)) return undefined;
  if (record.requestDigest === digest) return record;
  throw new PeerdError('key_reused', `the key of this send stands for other content already: transfer ${record.id}`, {
    hint: `Send it under another --id, or look at the first one: \`peerctl show ${record.id}\`.`, details: { id: record.id },
  });
};

/** One send after the other where they have the same key: the second one finds what the first one has made. */
export class KeyTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
    if (key === undefined) return work();
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => {});
    this.#last.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
