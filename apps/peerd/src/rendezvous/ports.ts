/** What the rendezvous layer offers. */
import type { Address, PeerId, RendezvousStatus, RosterEntry } from '@peerd/protocol';

export interface RosterPeer {
  readonly id: PeerId;
  /** Raw: escape it before it is shown. */
  readonly name: string;
  readonly room: string;
  readonly addresses: readonly Address[];
  /** The rendezvous that lists the peer was reached over loopback or link-local, so such candidates may be dialled. */
  readonly local: boolean;
}

/** The peers of our room at all rendezvous, without ourselves. */
export interface Roster {
  get(id: PeerId): RosterPeer | undefined;
  all(): readonly RosterPeer[];
  /** Called, coalesced, after each change. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

/** What a person is told about a rendezvous when something seems wrong. */
export interface RendezvousReading {
  readonly status: RendezvousStatus;
  /** Program and version as it says itself: raw. */
  readonly agent?: string;
  /** From `register` to `registered`, in milliseconds. */
  readonly roundTripMs?: number;
  /** By how much its clock is ahead of ours; right to half of `roundTripMs`. */
  readonly clockAheadMs?: number;
  /** The addresses that it was told last. */
  readonly announced: readonly Address[];
  /** The address at which it was reached, while it is. */
  readonly host?: string;
}

export interface Rendezvous {
  readonly roster: Roster;
  status(): RendezvousStatus[];
  readings(): RendezvousReading[];
  /** Asks every rendezvous that lists the peer; the first acknowledgement wins. @throws PeerdError `introduction_…`, `no_such_peer` */
  introduce(peer: PeerId, signal: AbortSignal): Promise<RosterEntry>;
  start(): void;
  /** Unregisters and ends the connections. */
  stop(): Promise<void>;
}

/** The acknowledgement, the refusal, or that a person has to decide and was told. */
export type IntroductionVerdict = 'accepted' | 'refused' | 'pending';

/** An introduction that reached us. */
export type IntroductionHandler = (from: RosterEntry, local: boolean) => Promise<IntroductionVerdict>;
