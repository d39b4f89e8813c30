/** The roster entry of a registration. */
import { isIPv6 } from 'node:net';
import type { Address, PeerId, RosterEntry } from '@peerd/protocol';

/**
 * The candidates of a client in its order, without duplicates, and after them the address that the connection came from,
 * with the port of the first candidate: behind a port-preserving NAT that is where the peer can be reached.
 * `observed` is a statement of the rendezvous; a client can't make it.
 */
export const candidatesOf = (addresses: readonly Address[], observedHost: string): Address[] => {
  const candidates = new Map<string, Address>();
  for (const { host, port } of addresses) if (!candidates.has(`${host} ${port}`)) candidates.set(`${host} ${port}`, { host, port, kind: 'host' });
  const first = addresses[0];
  // A link-local IPv6 address means something only together with an interface of this machine (RFC 4007 §11).
  const usable = observedHost !== '' && !(isIPv6(observedHost) && /^fe[89ab]/i.test(observedHost));
  if (first && usable && !candidates.has(`${observedHost} ${first.port}`))
    candidates.set('observed', { host: observedHost, port: first.port, kind: 'observed' });
  return [...candidates.values()];
};

// CBOR: map heads, keys and the shortest heads of the values that may stand there.
const entryOverheadBytes = 128;
const addressOverheadBytes = 48;
/** A removed peer: its id as text. */
const idBytes = 54;

/** What the entry takes at most in a frame, without encoding it. */
export const entryBytes = (entry: RosterEntry): number => {
  let bytes = entryOverheadBytes + Buffer.byteLength(entry.name);
  for (const address of entry.addresses) bytes += addressOverheadBytes + Buffer.byteLength(address.host);
  return bytes;
};

/** A change of a room: the new entry, or `undefined` when the peer left. */
export interface Change {
  readonly id: PeerId;
  readonly entry: RosterEntry | undefined;
}

export const changeBytes = (change: Change): number => (change.entry ? entryBytes(change.entry) : idBytes);
