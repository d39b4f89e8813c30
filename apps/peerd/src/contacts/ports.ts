/** What the contacts layer offers. */
import type { PeerId, Trust } from '@peerd/protocol';

/** A pinned peer: its key is known, its name is the label we gave it when we pinned it. */
export interface Contact {
  readonly id: PeerId;
  readonly name: string;
  readonly trust: 'pinned' | 'verified';
  /** Addresses that worked or were given, best first; at most 16. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly since: number;
  readonly lastSeen: number | null;
}

/** Whom a person meant. */
export interface ResolvedPeer {
  readonly id: PeerId;
  readonly name: string;
  readonly trust: Trust;
  /** Sentences for the person. */
  readonly warnings: readonly string[];
}

export interface Contacts {
  /** From memory. */
  get(id: PeerId): Contact | undefined;
  all(): readonly Contact[];
  /** Makes the peer a contact by one's own act. A contact stays as it is, new addresses are added in front. @throws PeerdError `blocked` */
  pin(peer: { id: PeerId; name: string; addresses?: readonly { host: string; port: number }[] }): Promise<{ contact: Contact; added: boolean }>;
  /** An address at which the contact was reached just now. Ignored for others. */
  reached(id: PeerId, address: { host: string; port: number } | undefined): void;
  /** @throws PeerdError `no_such_peer`, `ambiguous_peer` (details: candidates), `trust_changed` */
  resolve(target: string): ResolvedPeer;
  /** `resolve` for an act towards the peer. @throws PeerdError `blocked` as well */
  choose(target: string): ResolvedPeer;
  /** Its person has compared the code with ours. Nothing where it is no contact. */
  verified(id: PeerId): Promise<void>;
  /** `undefined`: it was no contact. */
  forget(id: PeerId): Promise<Contact | undefined>;
  /** How a peer that bears `name` stands to our contacts. */
  trustOf(id: PeerId, name: string): Trust;
}
