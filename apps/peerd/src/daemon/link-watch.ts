/** A use of links that only watches: events for subscribers, and a log line. */
import { escapeText, formatAddress, shortPeerId } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { Contacts } from '../contacts/ports.ts';
import type { EventSink } from '../control/ports.ts';
import type { Link, LinkUser } from '../peer/ports.ts';

export interface LinkWatchOptions {
  readonly contacts: Pick<Contacts, 'get'>;
  readonly events: EventSink;
  readonly logger: Logger;
  /** After each change of what `peers` shows. */
  readonly onChange: () => void;
}

export const watchLinks = ({ contacts, events, logger, onChange }: LinkWatchOptions): LinkUser => {
  const nameOf = (link: Link): string => escapeText(contacts.get(link.peer)?.name ?? link.name);
  const publish = (link: Link, state: 'linked' | 'disconnected'): void => {
    events.publish({ kind: 'link', peer: { id: link.peer, name: nameOf(link) }, state });
    onChange();
  };
  return {
    linkUp: (link) => {
      logger.info({ peer: link.peer, name: nameOf(link), address: formatAddress(link.remote), dialled: link.dialled }, 'link up');
      publish(link, 'linked');
    },
    linkDown: (link, reason) => {
      logger.info({ peer: link.peer, name: nameOf(link), reason: reason.code, detail: escapeText(reason.message) }, `link to ${shortPeerId(link.peer)} ended`);
      publish(link, 'disconnected');
    },
    message: () => {},
  };
};
