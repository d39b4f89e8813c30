/** What a program of the person is told, by its environment. */
import { escapeJson, escapeText } from '@peerd/protocol';
import type { TransferRecord } from '../transfer/record.ts';

export type Received = Pick<TransferRecord, 'id' | 'peer' | 'peerName' | 'state' | 'destination' | 'savedAs' | 'entries' | 'bytes' | 'note'>;

type Environment = Readonly<Record<string, string | undefined>>;

/** The kernel takes at most 128 KiB in one variable (MAX_ARG_STRLEN). */
const maxNamesCharacters = 32_768;

/** Settings of peerd, and what systemd and Node mean for peerd alone. */
const ours = /^(?:PEERD_|NODE_|LISTEN_|WATCHDOG_|NOTIFY_SOCKET$|CREDENTIALS_DIRECTORY$|INVOCATION_ID$|JOURNAL_STREAM$)/;

export const inheritedEnvironment = (env: Environment): Record<string, string | undefined> => Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));

/** @param name of the peer, raw @param control path of the control socket, so that `peerctl` finds it */
export const receivedEnvironment = (received: Received, name: string, control: string): Record<string, string> => {
  const { listed, left } = savedAs(received);
  return {
    PEERD_EVENT: 'received',
    PEERD_STATE: received.state === 'done' ? 'done' : 'partial',
    PEERD_TRANSFER_ID: received.id,
    PEERD_PEER_ID: received.peer,
    PEERD_PEER_NAME: escapeText(name),
    PEERD_NOTE: escapeText(received.note ?? ''),
    PEERD_DIRECTORY: received.destination ?? '',
    PEERD_ENTRIES: String(received.entries),
    PEERD_BYTES: String(received.bytes),
    PEERD_SAVED_AS_JSON: escapeJson(JSON.stringify(listed)),
    PEERD_SAVED_AS_LEFT_OUT: String(left),
    PEERD_CONTROL: control,
  };
};

interface SavedAs {
  /** As it is, absolute. */
  readonly path: string;
  /** Its bytes, where they are not valid UTF-8. */
  readonly pathBase64?: string;
}

const savedAs = ({ destination = '', savedAs: names }: Received): { listed: SavedAs[]; left: number } => {
  const listed: SavedAs[] = [];
  const delivered = names.filter((name) => name.length > 0);
  let characters = 0;
  for (const name of delivered) {
    const bytes = Buffer.concat([Buffer.from(`${destination.replace(/\/$/, '')}/`), name]);
    const path = bytes.toString('utf8');
    const entry = Buffer.from(path).equals(bytes) ? { path } : { path, pathBase64: bytes.toString('base64') };
    characters += escapeJson(JSON.stringify(entry)).length;
    if (characters > maxNamesCharacters) break;
    listed.push(entry);
  }
  return { listed, left: delivered.length - listed.length };
};
