/** Which messages may arrive on which connection. A message that is not in the set of its connection is skipped as unknown. */
import type { FrameBounds } from '../frame/codec.ts';
import { accept } from './accept.ts';
import { cancel } from './cancel.ts';
import { chat } from './chat.ts';
import { chatAck } from './chat-ack.ts';
import { chunkFrameMaxBytes, chunkFrameType, holeFrameBytes, holeFrameType, packFrameMaxBytes, packFrameType } from './chunk.ts';
import { close } from './close.ts';
import { compare } from './compare.ts';
import { compared } from './compared.ts';
import { compressedFrameMaxBytes, compressedFrameType } from './compressed.ts';
import { dataRequest } from './data-request.ts';
import { dataToken } from './data-token.ts';
import { type BodyOf, decodeMessage, type MessageDefinition } from './define.ts';
import { entryFailed } from './entry-failed.ts';
import { failed } from './failed.ts';
import { have } from './have.ts';
import { hello } from './hello.ts';
import { introduce } from './introduce.ts';
import { introduction } from './introduction.ts';
import { introductionAnswer } from './introduction-answer.ts';
import { introductionResult } from './introduction-result.ts';
import { manifestPage } from './manifest-page.ts';
import { manifestRequest } from './manifest-request.ts';
import { offer } from './offer.ts';
import { offered } from './offered.ts';
import { pause } from './pause.ts';
import { pauseAck } from './pause-ack.ts';
import { ping } from './ping.ts';
import { pong } from './pong.ts';
import { progress } from './progress.ts';
import { receipt } from './receipt.ts';
import { receiptAck } from './receipt-ack.ts';
import { register } from './register.ts';
import { registered } from './registered.ts';
import { reject } from './reject.ts';
import { rosterDelta } from './roster-delta.ts';
import { rosterRequest } from './roster-request.ts';
import { rosterSnapshot } from './roster-snapshot.ts';
import { select } from './select.ts';
import { sourceComplete } from './source-complete.ts';
import { unregister } from './unregister.ts';
import { verifyCancel } from './verify-cancel.ts';
import { verifyCommit } from './verify-commit.ts';
import { verifyConfirm } from './verify-confirm.ts';
import { verifyReveal } from './verify-reveal.ts';

/** A decoded message: `{ kind, body }`, told apart by `kind`. */
type Message<D> = D extends MessageDefinition<infer Kind> ? { readonly kind: Kind; readonly body: BodyOf<D> } : never;

const common = [hello, ping, pong, close] as const;
const fromClient = [...common, register, rosterRequest, introduce, introductionAnswer, unregister] as const;
const fromRendezvous = [...common, registered, rosterSnapshot, rosterDelta, introduction, introductionResult] as const;
const transferMessages = [
  offer, manifestRequest, manifestPage, offered, accept, reject, have, progress, entryFailed, sourceComplete, receipt, receiptAck, cancel, failed, pause,
  pauseAck, compare, compared,
] as const;
const verifyMessages = [verifyCommit, verifyReveal, verifyConfirm, verifyCancel] as const;
const link = [...common, select, dataRequest, dataToken, chat, chatAck, ...verifyMessages, ...transferMessages] as const;

export type CommonMessage =
  | Message<typeof hello>
  | Message<typeof ping>
  | Message<typeof pong>
  | Message<typeof close>;
/** What a rendezvous reads. */
export type ClientMessage =
  | CommonMessage
  | Message<typeof register>
  | Message<typeof rosterRequest>
  | Message<typeof introduce>
  | Message<typeof introductionAnswer>
  | Message<typeof unregister>;
/** What a client of a rendezvous reads. */
export type RendezvousMessage =
  | CommonMessage
  | Message<typeof registered>
  | Message<typeof rosterSnapshot>
  | Message<typeof rosterDelta>
  | Message<typeof introduction>
  | Message<typeof introductionResult>;
/** What concerns one transfer, in either direction. */
export type TransferMessage =
  | Message<typeof offer>
  | Message<typeof manifestRequest>
  | Message<typeof manifestPage>
  | Message<typeof offered>
  | Message<typeof accept>
  | Message<typeof reject>
  | Message<typeof have>
  | Message<typeof progress>
  | Message<typeof entryFailed>
  | Message<typeof sourceComplete>
  | Message<typeof receipt>
  | Message<typeof receiptAck>
  | Message<typeof cancel>
  | Message<typeof failed>
  | Message<typeof pause>
  | Message<typeof pauseAck>
  | Message<typeof compare>
  | Message<typeof compared>;
/** What compares codes, in either direction. */
export type VerifyMessage =
  | Message<typeof verifyCommit>
  | Message<typeof verifyReveal>
  | Message<typeof verifyConfirm>
  | Message<typeof verifyCancel>;
/** What stands on the control connection of a link, in either direction. */
export type LinkMessage =
  | CommonMessage
  | TransferMessage
  | VerifyMessage
  | Message<typeof select>
  | Message<typeof dataRequest>
  | Message<typeof dataToken>
  | Message<typeof chat>
  | Message<typeof chatAck>;

/** Reads the frames of one kind of connection. */
export interface MessageSet<M> {
  readonly bounds: FrameBounds;
  /** The message, or `undefined` for a frame type that is not in the set. @throws PeerdError `malformed_frame` */
  read(frame: { type: number; payload: Uint8Array }): M | undefined;
}

const setOf = <M>(definitions: readonly MessageDefinition<string, never>[]): MessageSet<M> => {
  const byType = new Map(definitions.map((definition) => [definition.type, definition]));
  return {
    bounds: new Map(definitions.map((definition) => [definition.type, definition.maxBytes])),
    read: (frame) => {
      const definition = byType.get(frame.type);
      if (!definition) return undefined;
      return { kind: definition.kind, body: decodeMessage(definition, frame.payload) } as M;
    },
  };
};

const anySet = (definitions: readonly unknown[]): readonly MessageDefinition<string, never>[] =>
  definitions as readonly MessageDefinition<string, never>[];

export const clientMessages: MessageSet<ClientMessage> = setOf(anySet(fromClient));
export const rendezvousMessages: MessageSet<RendezvousMessage> = setOf(anySet(fromRendezvous));
export const linkMessages: MessageSet<LinkMessage> = setOf(anySet(link));
/** Before `hello`: nothing else, and nothing large, may arrive. */
export const handshakeMessages: MessageSet<CommonMessage> = setOf(anySet(common));
/** Bounds of a data connection after `hello`. Chunks, packs, holes and compressed frames are read with `decodeChunk`, `decodePack`, `decodeHole` and `decodeCompressed`. */
export const dataBounds: FrameBounds = new Map([
  [close.type, close.maxBytes],
  [chunkFrameType, chunkFrameMaxBytes],
  [packFrameType, packFrameMaxBytes],
  [holeFrameType, holeFrameBytes],
  [compressedFrameType, compressedFrameMaxBytes],
]);

/** Every message definition by kind, for documents and golden vectors. */
export const allMessages: readonly MessageDefinition<string, never>[] = anySet([
  ...common, register, registered, rosterSnapshot, rosterDelta, rosterRequest, introduce, introduction, introductionAnswer, introductionResult,
  unregister, select, dataRequest, dataToken, chat, chatAck, ...verifyMessages, ...transferMessages,
]);
