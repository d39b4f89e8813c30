import { z } from 'zod';
import type { MessageDefinition } from './define.ts';

/**
 * Client → rendezvous: take me off the roster. The client then ends the connection.
 */
export type Unregister = Record<never, never>;

export const unregister: MessageDefinition<'unregister', Unregister> = {
  kind: 'unregister',
  type: 0x19,
  maxBytes: 16,
  schema: z.object({}),
};
