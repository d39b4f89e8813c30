/** What the rendezvous layer needs. */
import type { Address, Hello, PeerId, RendezvousStatus } from '@peerd/protocol';
import type { Identity, Logger, RendezvousSetting } from '@peerd/service';
import type { Registry } from 'prom-client';
import type { IntroductionHandler } from './ports.ts';

/** Ids of rendezvous that were met before, by `HOST:PORT`. */
interface Pins {
  get(address: string): PeerId | undefined;
  set(address: string, id: PeerId): Promise<void>;
}

export interface RendezvousDeps {
  readonly identity: Identity;
  /** Without `role` and `token`. The nonce is that of this process. */
  readonly hello: Pick<Hello, 'versions' | 'nonce' | 'name' | 'agent'>;
  readonly settings: readonly RendezvousSetting[];
  readonly room: string;
  readonly roomSecret?: Uint8Array;
  /** `leave`: off the roster for as long as any link is up. */
  readonly afterConnect: 'stay' | 'leave';
  readonly links: { count(): number; onChange(listener: () => void): () => void };
  /** What to tell others; read at each registration and heartbeat. See `localAddresses`. */
  readonly addresses: (local: boolean) => readonly Address[];
  readonly pins: Pins;
  readonly onIntroduction: IntroductionHandler;
  /** A registration has changed its state. */
  readonly onStatus?: (status: RendezvousStatus) => void;
  readonly logger: Logger;
  readonly registry: Registry;
  /** 0 ≤ random < 1 */
  readonly random?: () => number;
}
