import { z } from 'zod';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Heartbeat. The other side answers with `pong` and the same `seq`. Any frame counts as a sign of life.
 */
export interface Ping {
  seq: number;
}

export const ping: MessageDefinition<'ping', Ping> = {
  kind: 'ping',
  type: 0x02,
  maxBytes: 64,
  schema: z.object({ seq: uintSchema }),
};
