/** What a scripted peer sends: manifests that may say anything, and content that may be any bytes. */
import { blake3 } from '@napi-rs/blake-hash';
import {
  dataRequest, encodeCbor, encodeChunkHeader, type Have, manifestPage, type ManifestEntry, manifestPageMaxEntries, minChunkSize, offer as offerMessage, type Offer, sourceComplete,
  type TransferId,
} from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import type { ScriptedData, ScriptedLink, ScriptedPeer, Target } from './scripted-peer.ts';

/** An entry of a manifest as a test writes it down: a path, and what differs from a file of `content`. */
export interface ScriptedEntry extends Partial<Omit<ManifestEntry, 'path' | 'target'>> {
  readonly path: readonly (string | Uint8Array)[];
  readonly target?: string | Uint8Array;
  readonly content?: Uint8Array;
}

export interface ScriptedOffer {
  readonly transfer: TransferId;
  readonly body: Offer;
  readonly pages: readonly Uint8Array[];
  /** Content of each chunk, by index. */
  readonly chunks: readonly Uint8Array[];
  readonly contentRoot: Buffer;
}

const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

const entryOf = ({ content, path, target, ...more }: ScriptedEntry): ManifestEntry => ({
  type: target === undefined ? 'file' : 'symlink', size: content?.length ?? 0, mode: 0o644, mtime: [1_700_000_000, 0], ...more, path: path.map(bytesOf),
  ...(target === undefined ? {} : { target: bytesOf(target) }),
});

export const directory = (...path: (string | Uint8Array)[]): ScriptedEntry => ({ path, type: 'directory', mode: 0o755 });
export const file = (path: readonly (string | Uint8Array)[], content: string | Uint8Array = 'evil'): ScriptedEntry => ({ path, content: bytesOf(content) });
export const symlinkTo = (target: string | Uint8Array, ...path: (string | Uint8Array)[]): ScriptedEntry => ({ path, target, mode: 0o777 });

export interface OfferOptions {
  readonly transfer?: TransferId;
  readonly conflict?: string;
  readonly chunkSize?: number;
  /** Instead of those that the entries make. */
  readonly pages?: readonly Uint8Array[];
  /** Instead of what is true. */
  readonly announced?: Partial<Offer>;
}

/** An offer whose numbers are those of its entries, right or wrong. */
export const makeOffer = (entries: readonly ScriptedEntry[], options: OfferOptions = {}): ScriptedOffer => {
  const chunkSize = options.chunkSize ?? minChunkSize;
  const listed = entries.map(entryOf);
  const pages = options.pages ?? Array.from({ length: Math.ceil(listed.length / manifestPageMaxEntries) }, (_, page) =>
    encodeCbor(listed.slice(page * manifestPageMaxEntries, (page + 1) * manifestPageMaxEntries)));
  const chunks: Uint8Array[] = [];
  const roots: Buffer[] = [];
  for (const { content = new Uint8Array(0), type = 'file', target } of entries) {
    if (type !== 'file' || target !== undefined) continue;
    const own = Array.from({ length: Math.ceil(content.length / chunkSize) }, (_, chunk) => content.subarray(chunk * chunkSize, (chunk + 1) * chunkSize));
    chunks.push(...own);
    roots.push(blake3(Buffer.concat(own.map((chunk) => blake3(chunk)))));
  }
  const transfer = options.transfer ?? newUlid();
  const body: Offer = {
    transfer, entries: listed.length, bytes: listed.reduce((sum, { size }) => sum + size, 0), pages: pages.length, manifestBytes: pages.reduce((sum, page) => sum + page.length, 0),
    offerRoot: blake3(Buffer.concat(pages.map((page) => blake3(page)))), chunkSize, conflict: options.conflict ?? 'rename', ...options.announced,
  };
  return { transfer, body, pages, chunks, contentRoot: blake3(Buffer.concat([body.offerRoot, ...roots])) };
};

/** Offers and sends the pages that are asked for. @returns when the receiver keeps the offer */
export const propose = async (link: ScriptedLink, offer: ScriptedOffer): Promise<void> => {
  await sendManifest(link, offer);
  const answer = await link.nextOf(['offered', 'failed'], ({ body }) => (body as { transfer: TransferId }).transfer === offer.transfer);
  if (answer.kind === 'failed') throw new Error(`the offer was refused: ${answer.body.code}: ${answer.body.message}`);
};

/** The same without waiting for what the receiver makes of it. */
export const sendManifest = async (link: ScriptedLink, offer: ScriptedOffer): Promise<void> => {
  const { transfer } = offer;
  link.say(offerMessage, offer.body);
  const { fromPage } = await link.next('manifest-request', (body) => body.transfer === transfer);
  for (const [index, page] of offer.pages.entries()) if (index >= fromPage) link.say(manifestPage, { transfer, index, page });
};

/** Consent and everything that the receiver has already. */
export const consent = async (link: ScriptedLink, { transfer }: ScriptedOffer): Promise<Have[]> => {
  await link.next('accept', (body) => body.transfer === transfer);
  const have: Have[] = [];
  do have.push(await link.next('have', (body) => body.transfer === transfer));
  while (have.at(-1)?.last !== true);
  return have;
};

/** A chunk frame. @param hash instead of the one of the content */
export const chunkFrame = (index: number, content: Uint8Array, hash: Buffer = blake3(content)): Buffer => Buffer.concat([encodeChunkHeader(index, hash, content.length), content]);

/** A data connection that the receiver lets us have. */
export const openData = async (peer: ScriptedPeer, target: Target, link: ScriptedLink, transfer: TransferId): Promise<ScriptedData> => {
  link.say(dataRequest, { transfer });
  const { token } = await link.next('data-token', (body) => body.transfer === transfer);
  return peer.data(target, token);
};

/** Every chunk that is not there, and the end. @returns when the receiver has signed for it */
export const deliver = async (peer: ScriptedPeer, target: Target, link: ScriptedLink, offer: ScriptedOffer, there: ReadonlySet<number> = new Set()): Promise<void> => {
  const { transfer } = offer;
  if (offer.chunks.length > there.size) {
    const data = await openData(peer, target, link, transfer);
    for (const [index, content] of offer.chunks.entries()) {
      if (there.has(index)) continue;
      data.write(chunkFrame(index, content));
      await data.channel.drained();
    }
    data.channel.end();
    await data.ended;
  }
  link.say(sourceComplete, { transfer, contentRoot: offer.contentRoot, chunksSent: offer.chunks.length });
  await link.next('receipt', (body) => body.transfer === transfer);
};
