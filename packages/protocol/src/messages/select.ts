import { z } from 'zod';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Lower peer id → higher, on one control connection: this one is the link. Neither side uses a connection before it was
 * sent or received; the lower side closes the other connections of the pair with `duplicate_link`.
 *
 * Connections don't keep the order among each other, so a `select` may arrive after a later one. `order` grows with each
 * `select` of a process: of several the highest counts, and a lower one is ignored.
 */
export interface Select {
  order: number;
}

export const select: MessageDefinition<'select', Select> = {
  kind: 'select',
  type: 0x30,
  maxBytes: 16,
  schema: z.object({ order: uintSchema }),
};
