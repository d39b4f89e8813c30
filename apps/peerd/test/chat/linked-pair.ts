/** Two link users, linked: what one sends is encoded, split into frames and read by the other, one message after the other. */
import { FrameDecoder, linkMessages, PeerdError, type PeerId } from '@peerd/protocol';
import type { Link, Links, LinkUser } from '../../src/peer/ports.ts';

export interface Party {
  readonly id: PeerId;
  readonly name: string;
  readonly user: LinkUser;
}

export interface LinkedPair {
  /** Frames that arrived at each side, in order, as `kind`. */
  readonly seen: Map<PeerId, string[]>;
  cut(): void;
}

/** @param lose says which messages get lost on their way to a side */
export const linkPair = (one: Party, other: Party, lose: (to: PeerId, kind: string) => boolean = () => false): LinkedPair => {
  const ended = new AbortController();
  const seen = new Map<PeerId, string[]>([[one.id, []], [other.id, []]]);
  const linkTo = (peer: Party, self: Party): Link => {
    const decoder = new FrameDecoder(linkMessages.bounds);
    let reading = Promise.resolve();
    const read = async (frame: Buffer): Promise<void> => {
      for (const { type, payload } of decoder.push(frame)) {
        const message = linkMessages.read({ type, payload });
        if (!message || ended.signal.aborted || lose(peer.id, message.kind)) continue;
        seen.get(peer.id)?.push(message.kind);
        await peer.user.message(links.get(peer.id) as Link, message);
      }
    };
    return {
      peer: peer.id,
      name: peer.name,
      publicKey: Buffer.alloc(44),
      exportKeyingMaterial: () => Buffer.alloc(32),
      dialled: self === one,
      remote: { host: '127.0.0.1', port: 1 },
      since: 0,
      signal: ended.signal,
      send: async (frame) => {
        ended.signal.throwIfAborted();
        reading = reading.then(() => read(frame)).catch((error: unknown) => ended.abort(error));
      },
      openData: () => Promise.reject(new PeerdError('link_lost', 'no data here')),
    };
  };
  // By the side that uses it.
  const links = new Map([[one.id, linkTo(other, one)], [other.id, linkTo(one, other)]]);
  for (const party of [one, other]) party.user.linkUp(links.get(party.id) as Link);
  return {
    seen,
    cut: () => {
      const reason = new PeerdError('link_lost', 'cut');
      ended.abort(reason);
      for (const party of [one, other]) party.user.linkDown(links.get(party.id) as Link, reason);
    },
  };
};

/** Records who is needed. */
export const neededLinks = (): Pick<Links, 'get' | 'need' | 'release'> & { readonly needed: Set<string> } => {
  const needed = new Set<string>();
  return { needed, get: () => undefined, need: (peer, owner) => needed.add(`${owner} ${peer[0] ?? ''}`), release: (peer, owner) => needed.delete(`${owner} ${peer[0] ?? ''}`) };
};
