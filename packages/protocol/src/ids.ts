/** Identifiers and their shapes. */
import { createHash } from 'node:crypto';
import { base32nopad } from '@scure/base';
import { z } from 'zod';

/** 52 characters of base32 (RFC 4648 §6, lower case, no padding): SHA-256 of the public key as SPKI DER. */
export type PeerId = string;
/** ULID in lower case: 26 characters, sorts by the time at which the sender made it. */
export type TransferId = string;

export const peerIdSchema: z.ZodType<PeerId> = z.string().regex(/^[a-z2-7]{52}$/, 'a peer id is 52 characters of a–z and 2–7');
export const transferIdSchema: z.ZodType<TransferId> = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/, 'a transfer id is a lower-case ULID');

/** @param spki public key, SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7) */
export const peerIdOfPublicKey = (spki: Uint8Array): PeerId => base32nopad.encode(createHash('sha256').update(spki).digest()).toLowerCase();

/** First 8 characters: enough to tell peers of one room apart on a screen. */
export const shortPeerId = (id: PeerId): string => id.slice(0, 8);

/** The id in groups of four, as people compare it: `k3f9-…`. */
export const groupedPeerId = (id: PeerId): string => id.match(/.{1,4}/g)?.join('-') ?? id;
