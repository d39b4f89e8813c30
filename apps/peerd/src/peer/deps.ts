/** What the peer layer needs. */
import type { Hello, PeerId, RosterEntry } from '@peerd/protocol';
import type { Identity, Logger } from '@peerd/service';
import type { Registry } from 'prom-client';
import type { IntroductionVerdict, Rendezvous } from '../rendezvous/ports.ts';
import type { LinkPolicy, LinkUser } from './ports.ts';
import type { LinkTiming } from './timing.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where peers were reached before, or where a person said that they are. */
interface AddressBook {
  /** Best first. */
  knownAddresses(peer: PeerId): readonly Endpoint[];
  /** The peer is linked, at this address if we dialled it. */
  reached(peer: PeerId, address: Endpoint | undefined): void;
}

export interface LinksDeps {
  readonly identity: Identity;
  /** Without `role` and `token`. The nonce is that of this process. */
  readonly hello: Pick<Hello, 'versions' | 'nonce' | 'name' | 'agent'>;
  readonly listen: Endpoint;
  readonly policy: LinkPolicy;
  /** Read at each event: the list may be filled until `start`. */
  readonly users: readonly LinkUser[];
  readonly addressBook: AddressBook;
  readonly rendezvous: Pick<Rendezvous, 'roster' | 'introduce'>;
  /** The person's or the policy's answer to an introduction; without it every peer that is not blocked is welcome. */
  readonly admitIntroduction?: (from: RosterEntry) => Promise<IntroductionVerdict>;
  readonly logger: Logger;
  readonly registry: Registry;
  /** 0 ≤ random < 1 */
  readonly random?: () => number;
  readonly timing?: Partial<LinkTiming>;
}
