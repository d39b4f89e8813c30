/** Which addresses of a peer are dialled, and in which order. */
import { formatAddress, maxAddresses } from '@peerd/protocol';
import { mayDial } from '../net/address-scope.ts';
import { interleaveFamilies } from '../net/interleave.ts';
import type { Endpoint } from './deps.ts';

/** Known addresses that go first; the others stand behind what is fresh. */
const knownFirst = 4;

/** What others told us, without what must not be dialled. */
export const dialable = (addresses: readonly Endpoint[], local: boolean): Endpoint[] => addresses.filter(({ host }) => mayDial(host, local));

/**
 * At most 16. Addresses that worked before go first (RFC 8305 §4 allows it), then fresh ones with the families taking
 * turns.
 *
 * @param known by our own experience or by a person: any address
 * @param told by a rendezvous: `dialable` ones
 */
export const candidatesOf = (known: readonly Endpoint[], told: readonly Endpoint[]): Endpoint[] => {
  const ordered = [...known.slice(0, knownFirst), ...interleaveFamilies(told), ...known.slice(knownFirst)];
  const unique = new Map(ordered.map(({ host, port }) => [formatAddress({ host, port }), { host, port }]));
  return [...unique.values()].slice(0, maxAddresses);
};
