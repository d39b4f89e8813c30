/**
 * Whom a person means by what they typed: a name, `name~idprefix`, an id, or an id prefix. Pure.
 *
 * A full id names one peer and nothing else. A name that we gave to a contact means that contact, or is an error; no
 * stranger can take it over, whatever it calls itself and however its id begins. Everything else has to be unique.
 */
import { escapeText, groupedPeerId, PeerdError, type PeerId, shortPeerId, type Trust } from '@peerd/protocol';
import { foldName } from './names.ts';
import type { Contact, ResolvedPeer } from './ports.ts';

/** A peer that is linked or in a roster, under the name that it gives itself (raw). */
export interface Sighting {
  readonly id: PeerId;
  readonly name: string;
}

export interface Surroundings {
  readonly self: Sighting;
  readonly contacts: ReadonlyMap<PeerId, Contact>;
  /** One peer may be seen more than once. */
  readonly present: readonly Sighting[];
  /** Peers about which something was decided or is to be, wherever they are: they can be named, and count for nothing else. */
  readonly remembered: readonly Sighting[];
}

const minPrefix = 4;

const folded = new WeakMap<Contact, string>();

/** Folded once: a view of a large room compares each of its peers with each contact. */
const foldedNameOf = (contact: Contact): string => {
  const name = folded.get(contact) ?? foldName(contact.name);
  folded.set(contact, name);
  return name;
};

/** @throws PeerdError `no_such_peer`, `ambiguous_peer`, `trust_changed` */
export const resolvePeer = (target: string, around: Surroundings): ResolvedPeer => {
  const id = idOf(target);
  if (id?.length === 52) return byId(id, target, around);

  const wanted = foldName(target);
  const pinned = [...around.contacts.values()].filter((contact) => foldedNameOf(contact) === wanted);
  const bearers = uniqueIds(around.present.filter((sighting) => foldName(sighting.name) === wanted && !pinned.some((contact) => contact.id === sighting.id)));
  if (pinned.length > 1) throw ambiguous(target, [...pinned.map((contact) => contact.id), ...bearers], around);
  if (pinned[0]) return byContactName(pinned[0], bearers, around);

  const remembered = around.remembered.filter((sighting) => foldName(sighting.name) === wanted).map((sighting) => sighting.id);
  const candidates = [...new Set([...bearers, ...remembered, ...byQualifiedName(target, around), ...(id === undefined ? [] : byPrefix(id, around))])];
  if (candidates.length > 1) throw ambiguous(target, candidates, around);
  if (candidates[0] === undefined) throw unknown(target, around);
  return found(candidates[0], around);
};

/** How a peer that bears `name` stands to our contacts. */
export const trustOf = (id: PeerId, name: string, contacts: ReadonlyMap<PeerId, Contact>): Trust => {
  const contact = contacts.get(id);
  if (contact) return contact.trust;
  const wanted = foldName(name);
  for (const other of contacts.values()) if (foldedNameOf(other) === wanted) return 'changed';
  return 'new';
};

/** An id or a prefix of one, also in groups (`k3f9-…`), or `undefined`. */
const idOf = (text: string): string | undefined => {
  const plain = text.trim().replaceAll('-', '').toLowerCase();
  return plain.length >= minPrefix && /^[a-z2-7]{1,52}$/.test(plain) ? plain : undefined;
};

const byId = (id: PeerId, target: string, around: Surroundings): ResolvedPeer => {
  if (id === around.self.id) throw isSelf(target);
  if (!knownIds(around).has(id)) throw unknown(target, around);
  return found(id, around);
};

const byContactName = (contact: Contact, bearers: readonly PeerId[], around: Surroundings): ResolvedPeer => {
  if (!isPresent(contact.id, around) && bearers.length > 0) throw changed(contact, bearers);
  const warnings = bearers.map(
    (other) => `another peer calls itself ${escapeText(contact.name)} too: ${shortPeerId(other)}; your contact ${shortPeerId(contact.id)} is used`,
  );
  return { id: contact.id, name: contact.name, trust: contact.trust, warnings };
};

/** `name~idprefix`. The name may hold a `~` itself: the last one counts. */
const byQualifiedName = (target: string, around: Surroundings): PeerId[] => {
  const at = target.lastIndexOf('~');
  const prefix = at < 0 ? undefined : idOf(target.slice(at + 1));
  if (prefix === undefined) return [];
  const wanted = foldName(target.slice(0, at));
  return byPrefix(prefix, around).filter((id) => namesOf(id, around).some((name) => foldName(name) === wanted));
};

const byPrefix = (prefix: string, around: Surroundings): PeerId[] => [...knownIds(around)].filter((id) => id.startsWith(prefix));

const knownIds = (around: Surroundings): Set<PeerId> => new Set([...around.contacts.keys(), ...uniqueIds(around.present), ...uniqueIds(around.remembered)]);

const uniqueIds = (sightings: readonly Sighting[]): PeerId[] => [...new Set(sightings.map((sighting) => sighting.id))];

const isPresent = (id: PeerId, around: Surroundings): boolean => around.present.some((sighting) => sighting.id === id);

/** Our own label first. */
const namesOf = (id: PeerId, around: Surroundings): string[] => {
  const contact = around.contacts.get(id);
  return [...(contact ? [contact.name] : []), ...[...around.present, ...around.remembered].filter((sighting) => sighting.id === id).map((sighting) => sighting.name)];
};

const labelOf = (id: PeerId, around: Surroundings): string => namesOf(id, around)[0] ?? shortPeerId(id);

const found = (id: PeerId, around: Surroundings): ResolvedPeer => {
  const name = labelOf(id, around);
  const trust = trustOf(id, name, around.contacts);
  const warnings = trust === 'changed' ? [`${shortPeerId(id)} calls itself ${escapeText(name)}, but your contact of that name has another key`] : [];
  return { id, name, trust, warnings };
};

const exactName = (id: PeerId, name: string): string => `${escapeText(name)}~${shortPeerId(id)}`;

const ambiguous = (target: string, ids: readonly PeerId[], around: Surroundings): PeerdError => {
  const candidates = ids.map((id) => exactName(id, labelOf(id, around)));
  return new PeerdError('ambiguous_peer', `"${escapeText(target)}" fits ${candidates.length} peers: ${candidates.slice(0, 10).join(', ')}`, {
    hint: `Name one exactly, for example ${candidates[0] ?? ''}.`,
    details: { candidates: ids.slice(0, 100).map((id, index) => ({ id, name: escapeText(labelOf(id, around)), exact: candidates[index] })) },
  });
};

const unknown = (target: string, around: Surroundings): PeerdError => {
  if (foldName(target) === foldName(around.self.name)) return isSelf(target);
  return new PeerdError('no_such_peer', `no peer "${escapeText(target)}": it is neither a contact, nor linked, nor in the room`, {
    hint: 'See `peerctl peers`. A peer that no rendezvous knows is added with `peerctl trust ID@HOST:PORT`.',
  });
};

const isSelf = (target: string): PeerdError =>
  new PeerdError('no_such_peer', `"${escapeText(target)}" is this daemon itself`, { hint: 'Name another peer: see `peerctl peers`.' });

const changed = (contact: Contact, bearers: readonly PeerId[]): PeerdError => {
  const name = escapeText(contact.name);
  const others = bearers.map(groupedPeerId).join('\n  ');
  return new PeerdError(
    'trust_changed',
    [
      `THE KEY OF ${name} HAS CHANGED, OR SOMEBODY ELSE USES THAT NAME.`,
      `Your contact ${name} has the id`,
      `  ${groupedPeerId(contact.id)}`,
      'and is away. Somebody with another key calls themselves the same:',
      `  ${others}`,
      'Nothing was sent.',
    ].join('\n'),
    {
      hint: `Ask ${name} over another channel to read out their id (\`peerctl whoami\`). Only if it is the other one: peerctl trust ${bearers[0] ?? 'ID'}`,
      details: { contact: contact.id, others: [...bearers] },
    },
  );
};
