/** Every peer that this daemon knows of: contacts, those with a policy, linked ones, and those of the room. Pure. */
import { type ContactView, escapeText, formatAddress, type PeerId, type PeerView } from '@peerd/protocol';
import type { Policies } from '../contacts/policies.ts';
import type { Contact, Contacts } from '../contacts/ports.ts';
import type { Link } from '../peer/ports.ts';
import type { RosterPeer } from '../rendezvous/ports.ts';

export interface KnownPeers {
  readonly contacts: Pick<Contacts, 'all' | 'get' | 'trustOf'>;
  readonly policies: Pick<Policies, 'view' | 'peers'>;
  readonly links: { all(): readonly Link[]; get(peer: PeerId): Link | undefined };
  readonly roster: { all(): readonly RosterPeer[]; get(peer: PeerId): RosterPeer | undefined };
}

/** Sorted by name, then id. */
export const peersView = (known: KnownPeers): PeerView[] => {
  const ids = new Set([...known.contacts.all(), ...known.policies.peers(), ...known.roster.all()].map(({ id }) => id));
  for (const { peer } of known.links.all()) ids.add(peer);
  return [...ids].map((id) => peerView(id, known)).toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
};

export const contactsView = (known: KnownPeers): ContactView[] =>
  known.contacts.all().map((contact) => contactView(contact, known)).toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));

export const contactView = (contact: Contact, known: KnownPeers): ContactView => ({
  id: contact.id,
  name: escapeText(contact.name),
  trust: contact.trust,
  addresses: contact.addresses.map(shownAddress),
  state: stateOf(contact.id, known),
  since: contact.since,
  lastSeen: contact.lastSeen,
  policy: known.policies.view(contact.id, contact.trust),
});

const peerView = (id: PeerId, known: KnownPeers): PeerView => {
  const contact = known.contacts.get(id);
  const link = known.links.get(id);
  const listed = known.roster.get(id);
  const name = contact?.name ?? link?.name ?? listed?.name ?? known.policies.peers().find((peer) => peer.id === id)?.name ?? '';
  const trust = known.contacts.trustOf(id, name);
  return {
    id,
    name: escapeText(name),
    room: escapeText(listed?.room ?? ''),
    state: stateOf(id, known),
    addresses: addressesOf(contact, link, listed),
    trust,
    policy: known.policies.view(id, trust),
  };
};

const stateOf = (id: PeerId, known: KnownPeers): PeerView['state'] => (known.links.get(id) ? 'linked' : known.roster.get(id) ? 'online' : 'offline');

/** Of an inbound link the port is the other side's ephemeral one, at which nobody listens. */
const addressesOf = (contact: Contact | undefined, link: Link | undefined, listed: RosterPeer | undefined): string[] => {
  const all = [...(link?.dialled === true ? [link.remote] : []), ...(listed?.addresses ?? []), ...(contact?.addresses ?? [])];
  return [...new Set(all.map(shownAddress))];
};

const shownAddress = (address: { host: string; port: number }): string => escapeText(formatAddress(address));

/** By code point: the same everywhere, whatever the locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
