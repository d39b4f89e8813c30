import { z } from 'zod';
import { KiB, maxAddresses, roomMaxBytes } from '../limits.ts';
import { type Address, addressSchema } from './address.ts';
import { bytesSchema, textSchema, type MessageDefinition } from './define.ts';

/**
 * Client → rendezvous, after `hello`: put me on the roster of `room`. `roomProof` shows knowledge of the room's secret
 * without sending it: HMAC-SHA-256, key = the secret, message = `peerd room v1` ‖ 0x00 ‖ room ‖ 0x00 ‖ 32 bytes of keying
 * material that TLS exports for this connection (RFC 8446 §7.5, label `EXPORTER-peerd-room`). Sent again on a connection
 * that is registered, it updates the addresses.
 */
export interface Register {
  room: string;
  /** At most 16 candidates, best first. Empty: the peer can't be dialled, only dials. */
  addresses: Address[];
  /** 32 bytes. */
  roomProof?: Uint8Array;
}

export const register: MessageDefinition<'register', Register> = {
  kind: 'register',
  type: 0x10,
  maxBytes: 8 * KiB,
  schema: z.object({
    room: textSchema(roomMaxBytes, 1),
    addresses: z.array(addressSchema).max(maxAddresses),
    roomProof: bytesSchema(32).exactOptional(),
  }),
};
