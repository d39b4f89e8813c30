/** The token that changes through the admin port need. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';

const tokenBytes = 32;

/**
 * Reads `admin-token` (mode 0600) from the state directory and makes it at the first start.
 *
 * @throws PeerdError `invalid_settings` when others may read it or it is too short to be one
 */
export const loadAdminToken = async (stateDir: string): Promise<string> => {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'admin-token');
  await create(path);
  await using file = await open(path, 'r');
  const { mode } = await file.stat();
  if ((mode & 0o077) !== 0)
    throw new PeerdError('invalid_settings', `${path} can be read by other users (mode ${(mode & 0o777).toString(8)})`, { hint: `rm ${path} and start again: a new token is made.` });
  const token = (await file.readFile('utf8')).trim();
  if (token.length < tokenBytes) throw new PeerdError('invalid_settings', `${path} holds no token`, { hint: `rm ${path} and start again: a new token is made.` });
  return token;
};

const create = async (path: string): Promise<void> => {
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${randomBytes(tokenBytes).toString('base64url')}\n`);
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};

/** Whether the `Authorization` header carries the token (RFC 6750 §2.1), in time that doesn't depend on its content. */
export const bearsToken = (authorization: string | undefined, token: string): boolean => {
  const given = Buffer.from(/^Bearer ([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1] ?? '');
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
};
