import { z } from 'zod';
import { KiB } from '../limits.ts';
import { textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Rendezvous → client: the registration stands. A `roster-snapshot` follows. The registration lapses when nothing is
 * heard for `leaseMs`; the client sends `ping` every `heartbeatMs`. Of two registrations of one id the higher `epoch` wins.
 */
export interface Registered {
  epoch: number;
  /** The client's address as the rendezvous saw it. */
  observedHost: string;
  leaseMs: number;
  heartbeatMs: number;
  /** The clock of the rendezvous, milliseconds since 1970; only ever shown to a person. */
  time?: number;
}

export const registered: MessageDefinition<'registered', Registered> = {
  kind: 'registered',
  type: 0x11,
  maxBytes: 4 * KiB,
  schema: z.object({ epoch: uintSchema, observedHost: textSchema(255), leaseMs: uintSchema, heartbeatMs: uintSchema, time: uintSchema.exactOptional() }),
};
