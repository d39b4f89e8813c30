/** POST /v1/messages, GET /v1/messages?peer=&strangers=&limit= */
import { z } from 'zod';
import { type PeerReference, peerReferenceSchema } from './common.ts';

export interface SendMessageRequest {
  peer: string;
  text: string;
}
export const sendMessageRequestSchema: z.ZodType<SendMessageRequest> = z.object({ peer: z.string().min(1), text: z.string().min(1) });

export interface ChatMessageView {
  id: string;
  peer: PeerReference;
  direction: 'sent' | 'received';
  /** Escaped for display. */
  text: string;
  sentAt: number;
  state: 'queued' | 'delivered';
  /** The sender is not a contact. */
  stranger: boolean;
}
export const chatMessageViewSchema: z.ZodType<ChatMessageView> = z.object({
  id: z.string(),
  peer: peerReferenceSchema,
  direction: z.enum(['sent', 'received']),
  text: z.string(),
  sentAt: z.int(),
  state: z.enum(['queued', 'delivered']),
  stranger: z.boolean(),
});

export interface SendMessageResponse {
  message: ChatMessageView;
  state: 'delivered' | 'queued';
  warnings: string[];
}
export const sendMessageResponseSchema: z.ZodType<SendMessageResponse> = z.object({
  message: chatMessageViewSchema,
  state: z.enum(['delivered', 'queued']),
  warnings: z.array(z.string()),
});

export interface MessagesQuery {
  /** What the person typed. Without it: the messages of all contacts. */
  peer?: string;
  /** Instead: the messages of everybody who is no contact. */
  strangers?: 'true' | 'false';
  /** Default 100. */
  limit?: number;
}
export const messagesQuerySchema: z.ZodType<MessagesQuery> = z.object({
  peer: z.string().min(1).exactOptional(),
  strangers: z.enum(['true', 'false']).exactOptional(),
  limit: z.coerce.number().int().min(1).max(10_000).exactOptional(),
});

export interface MessagesResponse {
  /** Whom `peer=` named, so that a client can tell this peer's events from others'. Absent when all were asked for. */
  peer?: PeerReference;
  messages: ChatMessageView[];
}
export const messagesResponseSchema: z.ZodType<MessagesResponse> = z.object({ peer: peerReferenceSchema.exactOptional(), messages: z.array(chatMessageViewSchema) });
