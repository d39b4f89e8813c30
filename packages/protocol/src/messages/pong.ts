import { z } from 'zod';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Answer to `ping`.
 */
export interface Pong {
  seq: number;
}

export const pong: MessageDefinition<'pong', Pong> = {
  kind: 'pong',
  type: 0x03,
  maxBytes: 64,
  schema: z.object({ seq: uintSchema }),
};
