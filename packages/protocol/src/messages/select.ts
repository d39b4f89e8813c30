import { z } from 'zod';
import type { MessageDefinition } from './define.ts';

/**
 * Lower peer id → higher, on one control connection: this one is the link. Neither side uses a connection before it was
 * sent or received; the other connections of the pair are closed with `duplicate_link`.
 */
export type Select = Record<never, never>;

export const select: MessageDefinition<'select', Select> = {
  kind: 'select',
  type: 0x30,
  maxBytes: 16,
  schema: z.object({}),
};
