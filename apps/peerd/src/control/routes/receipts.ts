/** GET /v1/receipts, GET /v1/receipts/verify */
import {
  escapeText, receiptsQuerySchema, type ReceiptsResponse, receiptsResponseSchema, type ReceiptView, type VerifyReceiptsResponse, verifyReceiptsResponseSchema,
} from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Contacts } from '../../contacts/ports.ts';
import type { LoggedReceipt, ReceiptLog } from '../../receipts/ports.ts';
import { requestSignal } from '../request-signal.ts';

export interface ReceiptsRoutes {
  readonly receipts: Pick<ReceiptLog, 'list' | 'verify' | 'path'>;
  readonly contacts: Pick<Contacts, 'get'>;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

const defaultLimit = 100;

export const receiptsRoutes: FastifyPluginAsyncZod<ReceiptsRoutes> = async (app, { receipts, contacts, stopping }) => {
  app.get(
    '/v1/receipts',
    { schema: { description: 'One page of the log of receipts, newest first.', querystring: receiptsQuerySchema, response: { 200: receiptsResponseSchema } } },
    async ({ query }): Promise<ReceiptsResponse> => {
      const { offset = 0, limit = defaultLimit } = query;
      const page = await receipts.list(offset, limit);
      return { receipts: page.receipts.map((logged) => receiptView(logged, contacts.get(logged.peer)?.name ?? logged.peerName ?? '')), total: page.total, offset };
    },
  );

  app.get(
    '/v1/receipts/verify',
    { schema: { description: 'Follows the chain of the log of receipts from its first entry: every link, every signature, and the end. Takes time when the log is long.', response: { 200: verifyReceiptsResponseSchema } } },
    async (_request, reply): Promise<VerifyReceiptsResponse> => {
      using waiting = requestSignal(reply, stopping);
      const { intact, written, problem } = await receipts.verify(waiting.signal);
      return { valid: problem === undefined, path: escapeText(receipts.path), entries: written, intact, problem: problem ?? null };
    },
  );
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const receiptView = ({ seq, role, transfer, peer, hash, content }: LoggedReceipt, name: string): ReceiptView => ({
  seq,
  role,
  transfer,
  peer: { id: peer, name: escapeText(name) },
  hash: hex(hash),
  receipt: content
    ? {
        receivedAt: content.body.receivedAt,
        durability: content.body.durability,
        delivered: content.body.delivered,
        failed: content.body.failed,
        ...(content.body.skipped === undefined ? {} : { skipped: content.body.skipped }),
        offerRoot: hex(content.body.offerRoot),
        contentRoot: hex(content.body.contentRoot),
        signature: hex(content.record.signature),
      }
    : null,
});
