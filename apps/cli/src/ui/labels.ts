/** Peers, states and trust in words. Names come escaped from the daemon. */
import type { PeerReference, TransferState, Trust } from '@peerd/protocol';
import { shortId } from './ids.ts';
import type { Colors } from './output.ts';

/** The name, or the short id of a peer without one. */
export const peerLabel = (peer: PeerReference): string => (peer.name === '' ? shortId(peer.id) : peer.name);

/** With the short id, where one name may be borne by several. */
export const peerWithId = (peer: PeerReference): string => (peer.name === '' ? shortId(peer.id) : `${peer.name} (${shortId(peer.id)})`);

export const colorTrust = (trust: Trust, colors: Colors): ((text: string) => string) =>
  trust === 'changed' ? colors.red : trust === 'verified' ? colors.green : trust === 'pinned' ? (text) => text : colors.yellow;

export const colorPresence = (state: 'linked' | 'online' | 'offline', colors: Colors): ((text: string) => string) =>
  state === 'linked' ? colors.green : state === 'online' ? colors.cyan : colors.dim;

export const colorState = (state: TransferState, colors: Colors): ((text: string) => string) => {
  if (state === 'done') return colors.green;
  if (state === 'failed' || state === 'rejected') return colors.red;
  if (state === 'cancelled') return colors.dim;
  return state === 'offered' ? colors.yellow : colors.cyan;
};

const finalStates: ReadonlySet<TransferState> = new Set<TransferState>(['done', 'rejected', 'cancelled', 'failed']);
export const isFinal = (state: TransferState): boolean => finalStates.has(state);
