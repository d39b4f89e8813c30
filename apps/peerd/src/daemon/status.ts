/** GET /v1/status: what the daemon is doing. */
import { escapeText, formatAddress, type StatusResponse } from '@peerd/protocol';
import type { Contacts } from '../contacts/ports.ts';
import type { Pacing } from '../net/pacing.ts';
import type { Link } from '../peer/ports.ts';

export interface StatusSources {
  /** What does not change while the daemon runs. */
  readonly fixed: Pick<StatusResponse, 'version' | 'id' | 'name' | 'room' | 'listen' | 'metrics' | 'downloadDir' | 'accept'>;
  readonly contacts: Pick<Contacts, 'get'>;
  readonly links: () => readonly Link[];
  readonly pacing: Pick<Pacing, 'waitedMs'>;
  readonly rendezvous: () => StatusResponse['rendezvous'];
  readonly transfers: () => StatusResponse['transfers'];
  readonly chat: { readonly queued: number; ofStrangers(): Promise<number> };
}

export const statusOf = async ({ fixed, contacts, links, pacing, rendezvous, transfers, chat }: StatusSources): Promise<StatusResponse> => ({
  ...fixed,
  rendezvous: rendezvous(),
  links: links().map((link) => ({
    peer: { id: link.peer, name: escapeText(contacts.get(link.peer)?.name ?? link.name) },
    since: link.since,
    address: escapeText(formatAddress(link.remote)),
    dialled: link.dialled,
    pacedMs: pacing.waitedMs(link),
  })),
  transfers: transfers(),
  messages: { queued: chat.queued, strangers: await chat.ofStrangers() },
});
