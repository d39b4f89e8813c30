import { type Address, PeerdError, peerAlpn } from '@peerd/protocol';
import { dial, type Identity } from '@peerd/service';

/** Dials ourselves as a peer would, up to the proof of the key. @throws PeerdError `peer_unreachable`, `wrong_key` */
export const reachSelf = async (identity: Identity, { host, port }: Address, signal: AbortSignal): Promise<void> => {
  const channel = await dial(identity, { host, port, protocol: peerAlpn, expected: identity.id }, signal);
  channel.destroy(new PeerdError('disconnected', 'it was only to be seen whether somebody answers'));
};
