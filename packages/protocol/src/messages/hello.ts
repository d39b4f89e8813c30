import { z } from 'zod';
import { KiB, nameMaxBytes, nonceBytes, tokenBytes } from '../limits.ts';
import { bytesSchema, textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * First message in both directions on every connection, after TLS. Until it went both ways nothing is up.
 *
 * `role` says what the connection is for: `register` at a rendezvous, `link` for the control connection of a link,
 * `data` for a data connection, which also carries its single-use `token`. Both sides use the highest version that
 * stands in both lists; without one they close with `version_unsupported`. A `nonce` is drawn once per start of a
 * process: another nonce from the same id means that it was started anew.
 */
export interface Hello {
  versions: number[];
  role: 'register' | 'link' | 'data';
  /** 16 random bytes, the same as long as the process lives. */
  nonce: Uint8Array;
  /** The name by which the sender wants to be shown; a label, at most 64 bytes. */
  name: string;
  /** Program and version, for logs: `peerd/0.1.0`. */
  agent: string;
  /** `role: 'data'` from the dialling side only. */
  token?: Uint8Array;
}

export const hello: MessageDefinition<'hello', Hello> = {
  kind: 'hello',
  type: 0x01,
  maxBytes: 4 * KiB,
  schema: z.object({
    versions: z.array(uintSchema).min(1).max(16),
    role: z.enum(['register', 'link', 'data']),
    nonce: bytesSchema(nonceBytes),
    name: textSchema(nameMaxBytes, 1),
    agent: textSchema(nameMaxBytes),
    token: bytesSchema(tokenBytes).exactOptional(),
  }),
};
