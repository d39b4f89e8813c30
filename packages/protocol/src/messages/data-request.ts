import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Dialling side → listening side of a link: I need a data connection for this transfer. Answered by `data-token`.
 */
export interface DataRequest {
  transfer: TransferId;
}

export const dataRequest: MessageDefinition<'data-request', DataRequest> = {
  kind: 'data-request',
  type: 0x31,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema }),
};
