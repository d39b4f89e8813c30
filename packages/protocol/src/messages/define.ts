/** What every control message has in common: a type byte, a bound, a zod schema, and CBOR (RFC 8949) on the wire. */
import { z } from 'zod';
import { PeerdError } from '../errors.ts';
import { encodeFrameHeader } from '../frame/codec.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';

export interface MessageDefinition<Kind extends string = string, Body = unknown> {
  readonly kind: Kind;
  /** The frame's type byte. */
  readonly type: number;
  /** Largest payload in bytes. */
  readonly maxBytes: number;
  readonly schema: z.ZodType<Body>;
}

/** The body of a message definition. */
export type BodyOf<D> = D extends MessageDefinition<string, infer Body> ? Body : never;

/** A complete frame. The schema is checked on the way out too: what we send, we would accept. */
export const encodeMessage = <Kind extends string, Body>(definition: MessageDefinition<Kind, Body>, body: Body): Buffer => joinMessage(definition, [encodeCbor(body)]);

/** A complete frame. @param pieces the encoded body, cut anywhere */
export const joinMessage = ({ kind, type, maxBytes }: MessageDefinition, pieces: readonly Uint8Array[]): Buffer => {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (length > maxBytes) throw new PeerdError('frame_too_large', `${kind} has ${length} bytes, at most ${maxBytes} are allowed`);
  return Buffer.concat([encodeFrameHeader(type, length), ...pieces]);
};

/** @throws PeerdError `malformed_frame`, naming the field */
export const decodeMessage = <Kind extends string, Body>(definition: MessageDefinition<Kind, Body>, payload: Uint8Array): Body =>
  parseBody(definition.kind, definition.schema, decodeCbor(payload));

/** @throws PeerdError `malformed_frame`, naming the field */
export const parseBody = <Body>(what: string, schema: z.ZodType<Body>, value: unknown): Body => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new PeerdError('malformed_frame', `${what}: ${issue ? `${issue.path.join('.') || 'body'}: ${issue.message}` : 'invalid'}`);
};

/** Text of at most `bytes` bytes of UTF-8, without NUL. Escaping for people is done where it is shown. */
export const textSchema = (bytes: number, min = 0): z.ZodType<string> =>
  z.string().refine((text) => {
    const length = Buffer.byteLength(text);
    return length >= min && length <= bytes && !text.includes('\0');
  }, `must be text of ${min} to ${bytes} bytes without NUL`);

export const bytesSchema = (length: number): z.ZodType<Uint8Array> =>
  z.instanceof(Uint8Array).refine((value) => value.byteLength === length, `must be ${length} bytes`);

export const maxBytesSchema = (max: number): z.ZodType<Uint8Array> =>
  z.instanceof(Uint8Array).refine((value) => value.byteLength <= max, `must be at most ${max} bytes`);

export const uintSchema: z.ZodType<number> = z.int().min(0);
