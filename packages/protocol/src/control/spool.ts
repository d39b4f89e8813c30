/** POST /v1/spool, DELETE /v1/spool/:id */
import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';

/** Of a single file; a tree bears its names itself. */
export interface SpoolQuery {
  /** Default: `stdin`. */
  name?: string;
  /** Its bytes in base64url, where they are not UTF-8. */
  nameBase64?: string;
  /** Decimal. */
  mode?: number;
}
export const spoolQuerySchema: z.ZodType<SpoolQuery> = z.object({
  name: z.string().max(1_024).exactOptional(),
  nameBase64: z.string().max(1_024).exactOptional(),
  mode: z.coerce.number().int().min(0).max(0o777).exactOptional(),
});

export interface SpoolResponse {
  id: TransferId;
  entries: number;
  bytes: number;
}
export const spoolResponseSchema: z.ZodType<SpoolResponse> = z.object({ id: transferIdSchema, entries: z.int(), bytes: z.int() });
