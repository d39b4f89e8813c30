/** The contacts: a table, and a copy of it in memory from which everything is answered. */
import { maxAddresses, PeerdError, type PeerId, shortPeerId, type Trust } from '@peerd/protocol';
import type { Database } from '../database/ports.ts';
import type { Contact, Contacts, ResolvedPeer } from './ports.ts';
import { resolvePeer, type Sighting, trustOf } from './resolve.ts';

type HostPort = Contact['addresses'][number];

export interface ContactsOptions {
  readonly database: Database;
  readonly self: Sighting;
  /** Linked peers and the roster. */
  readonly present: () => readonly Sighting[];
  /** Peers with a policy, or whose introduction waits. */
  readonly remembered: () => readonly Sighting[];
  readonly isBlocked: (id: PeerId) => boolean;
  /** A contact was added, its trust or its addresses changed. */
  readonly onChange: (contact: Contact, added: boolean) => void;
  /** A change that nobody waits for could not be stored. */
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

interface ContactRow {
  readonly id: string;
  readonly name: string;
  readonly trust: 'pinned' | 'verified';
  readonly addresses: string;
  readonly since: number;
  readonly last_seen: number | null;
}

export const loadContacts = async (options: ContactsOptions): Promise<Contacts> => {
  const rows = await options.database.all<ContactRow>('SELECT id, name, trust, addresses, since, last_seen FROM contacts');
  return new StoredContacts(options, rows.map(contactOf));
};

const contactOf = (row: ContactRow): Contact => ({
  id: row.id,
  name: row.name,
  trust: row.trust,
  addresses: JSON.parse(row.addresses) as HostPort[],
  since: row.since,
  lastSeen: row.last_seen,
});

class StoredContacts implements Contacts {
  readonly #options: ContactsOptions;
  readonly #byId: Map<PeerId, Contact>;

  constructor(options: ContactsOptions, contacts: readonly Contact[]) {
    this.#options = options;
    this.#byId = new Map(contacts.map((contact) => [contact.id, contact]));
  }

  get(id: PeerId): Contact | undefined {
    return this.#byId.get(id);
  }

  all(): readonly Contact[] {
    return [...this.#byId.values()];
  }

  async pin(peer: { id: PeerId; name: string; addresses?: readonly HostPort[] }): Promise<{ contact: Contact; added: boolean }> {
    this.#refuseBlocked(peer.id);
    const before = this.#byId.get(peer.id);
    const addresses = inFront(peer.addresses ?? [], before?.addresses ?? []);
    const contact: Contact = before
      ? { ...before, addresses }
      : { id: peer.id, name: peer.name.normalize('NFC').trim(), trust: 'pinned', addresses, since: this.#options.now(), lastSeen: null };
    if (before && sameAddresses(before.addresses, addresses)) return { contact: before, added: false };
    this.#byId.set(peer.id, contact);
    try {
      await this.#store(contact);
    } catch (error) {
      // Not a contact that a restart would forget.
      if (!before && this.#byId.get(peer.id) === contact) this.#byId.delete(peer.id);
      throw error;
    }
    this.#options.onChange(contact, before === undefined);
    return { contact, added: before === undefined };
  }

  reached(id: PeerId, address: HostPort | undefined): void {
    const before = this.#byId.get(id);
    if (!before) return;
    const contact = { ...before, addresses: inFront(address ? [address] : [], before.addresses), lastSeen: this.#options.now() };
    this.#byId.set(id, contact);
    this.#store(contact).then(
      () => sameAddresses(before.addresses, contact.addresses) || this.#options.onChange(contact, false),
      (error: unknown) => this.#options.onError(error),
    );
  }

  resolve(target: string): ResolvedPeer {
    return resolvePeer(target, { self: this.#options.self, contacts: this.#byId, present: this.#options.present(), remembered: this.#options.remembered() });
  }

  choose(target: string): ResolvedPeer {
    const peer = this.resolve(target);
    this.#refuseBlocked(peer.id);
    return peer;
  }

  async verified(id: PeerId): Promise<void> {
    const before = this.#byId.get(id);
    if (!before || before.trust === 'verified') return;
    const contact: Contact = { ...before, trust: 'verified' };
    this.#byId.set(id, contact);
    try {
      await this.#store(contact);
    } catch (error) {
      // Not a trust that a restart would forget.
      const now = this.#byId.get(id);
      if (now) this.#byId.set(id, { ...now, trust: before.trust });
      throw error;
    }
    this.#options.onChange(contact, false);
  }

  async forget(id: PeerId): Promise<Contact | undefined> {
    const contact = this.#byId.get(id);
    if (!contact) return undefined;
    this.#byId.delete(id);
    try {
      await this.#options.database.run('DELETE FROM contacts WHERE id = ?', id);
    } catch (error) {
      if (!this.#byId.has(id)) this.#byId.set(id, contact);
      throw error;
    }
    return contact;
  }

  trustOf(id: PeerId, name: string): Trust {
    return trustOf(id, name, this.#byId);
  }

  #refuseBlocked(id: PeerId): void {
    if (!this.#options.isBlocked(id)) return;
    throw new PeerdError('blocked', `${shortPeerId(id)} is blocked here: nothing goes to it, and nothing of it is taken`, {
      hint: `\`peerctl policy ${shortPeerId(id)} ask\` ends that.`,
    });
  }

  /** The whole row: requests reach the disk in order, so the last one holds what memory holds. */
  async #store(contact: Contact): Promise<void> {
    await this.#options.database.run(
      `INSERT INTO contacts (id, name, trust, addresses, since, last_seen) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, trust = excluded.trust, addresses = excluded.addresses, last_seen = excluded.last_seen`,
      contact.id, contact.name, contact.trust, JSON.stringify(contact.addresses), contact.since, contact.lastSeen,
    );
  }
}

const inFront = (fresh: readonly HostPort[], known: readonly HostPort[]): HostPort[] => {
  const all = [...fresh, ...known].map(({ host, port }) => ({ host, port }));
  return all.filter((address, index) => all.findIndex((other) => sameAddress(other, address)) === index).slice(0, maxAddresses);
};

const sameAddress = (a: HostPort, b: HostPort): boolean => a.host === b.host && a.port === b.port;

const sameAddresses = (a: readonly HostPort[], b: readonly HostPort[]): boolean =>
  a.length === b.length && a.every((address, index) => sameAddress(address, b[index] ?? { host: '', port: 0 }));
