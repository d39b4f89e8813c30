/** Secrets as they are, and in the ways in which bytes are written down. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const formsOf = (secret: string | Uint8Array): Buffer[] => {
  const bytes = Buffer.from(secret as string);
  return [bytes, ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(bytes.toString(form).replace(/=+$/, '')))];
};

/** Of the private key in a state directory: the file, and the key itself. */
export const formsOfKeyIn = (stateDir: string): Buffer[] => {
  const body = readFileSync(join(stateDir, 'identity.key'), 'utf8').replace(/-----.*-----|\n/g, '');
  return [...formsOf(body), ...formsOf(Buffer.from(body, 'base64').subarray(-32))];
};
