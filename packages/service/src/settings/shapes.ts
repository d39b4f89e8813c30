/** Shapes of settings that several daemons have. */
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { nameMaxBytes, parseByteSize, PeerdError, type PeerId, roomMaxBytes } from '@peerd/protocol';
import { z } from 'zod';

export interface HostPort {
  /** IP literal without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:80`, `[::1]:80`, `host:80`, or with `defaultPort` also without a port. `undefined` if it is none of them. */
export const parseHostPort = (text: string, defaultPort?: number): HostPort | undefined => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return isIP(text) === 6 && defaultPort !== undefined ? { host: text, port: defaultPort } : undefined;
  const host = match[1] ?? match[2] ?? '';
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port === undefined || port > 65_535 || (match[1] !== undefined && isIP(match[1]) !== 6)) return undefined;
  return { host, port };
};

export const hostPortSchema = (defaultPort?: number): z.ZodType<HostPort, string> =>
  z.string().transform((text, context) => {
    const parsed = parseHostPort(text, defaultPort);
    if (parsed) return parsed;
    context.addIssue({ code: 'custom', message: `"${text}" is not HOST:PORT, such as 0.0.0.0:12001 or [::]:12001` });
    return z.NEVER;
  });

export interface RendezvousSetting extends HostPort {
  /** Pinned id, when given as `HOST:PORT#ID`. */
  readonly id?: PeerId;
}

export const rendezvousSettingSchema = (defaultPort: number): z.ZodType<RendezvousSetting, string> =>
  z.string().transform((text, context) => {
    const [where = '', id, ...rest] = text.split('#');
    const parsed = parseHostPort(where, defaultPort);
    if (parsed && rest.length === 0 && (id === undefined || /^[a-z2-7]{52}$/.test(id))) return { ...parsed, ...(id === undefined ? {} : { id }) };
    context.addIssue({ code: 'custom', message: `"${text}" is not HOST:PORT or HOST:PORT#ID (an id has 52 characters)` });
    return z.NEVER;
  });

/** A label of at most 64 bytes, trimmed, in NFC. */
export const nameSettingSchema: z.ZodType<string, string> = z
  .string()
  .transform((text) => text.normalize('NFC').trim())
  .refine((text) => text.length > 0 && Buffer.byteLength(text) <= nameMaxBytes && !/[\p{Cc}\p{Cf}]/u.test(text), `must be 1 to ${nameMaxBytes} bytes of text without control characters`);

export const roomSettingSchema: z.ZodType<string, string> = z
  .string()
  .refine((text) => text.length > 0 && Buffer.byteLength(text) <= roomMaxBytes && !/[\p{Cc}\p{Cf}]/u.test(text), `must be 1 to ${roomMaxBytes} bytes of text without control characters`);

/** `500K`, `2.5M`, `1 GiB`, or a number of bytes. */
export const byteSizeSchema = (least: number): z.ZodType<number, string | number> =>
  z.union([z.string(), z.number()]).transform((value, context) => {
    const bytes = parseByteSize(String(value));
    if (bytes !== undefined && bytes >= least) return bytes;
    context.addIssue({ code: 'custom', message: `"${value}" is not an amount of bytes from ${least} on, such as 500K, 2.5M or 1G` });
    return z.NEVER;
  });

/** Relative paths count from the working directory, `~/` from the home directory. */
export const pathSettingSchema: z.ZodType<string, string> = z
  .string()
  .min(1, 'must not be empty')
  .transform((text) => (text.startsWith('~/') ? join(homedir(), text.slice(2)) : isAbsolute(text) ? text : resolve(text)));

/** `STATE_DIRECTORY` of systemd, else `$XDG_STATE_HOME/NAME`, else `~/.local/state/NAME`. */
export const defaultStateDir = (name: string, env: Readonly<Record<string, string | undefined>>): string => {
  const service = env['STATE_DIRECTORY']?.split(':')[0];
  if (service) return service;
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], name);
  const home = env['HOME'];
  if (!home) throw new PeerdError('invalid_settings', 'no state directory: HOME is not set', { hint: 'Give --state-dir DIR.' });
  return join(home, '.local', 'state', name);
};
