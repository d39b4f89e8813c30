/**
 * Recorded conversations: docs/protocol/vectors/conversations.json has what the ends of one or more connections said, in the
 * order in which they said it. They are of the version that recorded them, and are not made anew with a later one: a version
 * with another wire adds its own beside them.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { allMessages, chunkFrameType, frameHeaderBytes, holeFrameType, packFrameType } from '@peerd/protocol';

export type Party = 'sender' | 'receiver' | 'client' | 'rendezvous';

export interface Step {
  readonly from: Party;
  /** Connections are counted from 0. */
  readonly on: number;
  readonly kind: string;
  /** Hex, or gzip in base64 where it is long. */
  readonly frame?: string;
  readonly gzip?: string;
}

export interface Conversation {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const file: URL = new URL('../../../../docs/protocol/vectors/conversations.json', import.meta.url);

export const readConversation = (name: string): Conversation => {
  const found = (JSON.parse(readFileSync(file, 'utf8')) as Conversation[]).find((conversation) => conversation.name === name);
  if (!found) throw new Error(`no conversation ${name}`);
  return found;
};

const bulk: Readonly<Record<number, string>> = { [chunkFrameType]: 'chunk', [packFrameType]: 'pack', [holeFrameType]: 'hole' };

export const kindOf = (type: number): string => bulk[type] ?? allMessages.find((definition) => definition.type === type)?.kind ?? `type ${type}`;

/** They come by the clock, and say nothing that the others rely on. */
export const isVolatile = (kind: string): boolean => kind === 'ping' || kind === 'pong' || kind === 'progress';

const longBytes = 1_024;

export const stepOf = (from: Party, on: number, frame: Buffer): Step => ({
  from, on, kind: kindOf(frame.readUInt8(4)), ...(frame.length > longBytes ? { gzip: gzipSync(frame, { level: 9 }).toString('base64') } : { frame: frame.toString('hex') }),
});

export const frameOf = ({ frame, gzip }: Step): Buffer => (frame === undefined ? gunzipSync(Buffer.from(gzip ?? '', 'base64')) : Buffer.from(frame, 'hex'));

export const payloadOf = (step: Step): Buffer => frameOf(step).subarray(frameHeaderBytes);
