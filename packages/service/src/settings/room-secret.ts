/** The secret of the rooms, from a file that the operators of the rendezvous and of the peers share. */
import { readFile } from 'node:fs/promises';
import { PeerdError } from '@peerd/protocol';

const minBytes = 8;
const maxBytes = 4_096;

/**
 * The bytes of the file without ASCII white space at its ends: an editor's newline is no part of the secret. Any other
 * byte counts, so the file may hold raw random bytes as well as text.
 *
 * @throws PeerdError `invalid_settings`
 */
export const readRoomSecret = async (path: string): Promise<Buffer> => {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new PeerdError('invalid_settings', `cannot read the room secret ${path}: ${(cause as Error).message}`, { cause, hint: 'Give --room-secret-file a file that this program may read.' });
  }
  const secret = Buffer.from(bytes.toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), 'latin1');
  if (secret.length < minBytes || secret.length > maxBytes)
    throw new PeerdError('invalid_settings', `the room secret in ${path} has ${secret.length} bytes; ${minBytes} to ${maxBytes} are allowed`, {
      hint: 'Make one with: head -c 24 /dev/urandom | base64 > FILE',
    });
  return secret;
};
