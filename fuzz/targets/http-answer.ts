import assert from 'node:assert/strict';
import { AnswerDecoder, NoHttpAnswer } from '../../apps/cli/src/client/answer-decoder.ts';
import type { FuzzTarget } from '../engine/target.ts';

const hear = (pieces: readonly Buffer[]): { status: number | undefined; body: string; ended: boolean } | 'refused' => {
  const decoder = new AnswerDecoder();
  const body: Buffer[] = [];
  try {
    for (const piece of pieces) body.push(...decoder.push(piece));
    decoder.end();
  } catch (error) {
    if (!(error instanceof NoHttpAnswer)) throw error;
    return 'refused';
  }
  return { status: decoder.status, body: Buffer.concat(body).toString('latin1'), ended: decoder.ended };
};

/** The answer is the same whether it comes whole or byte by byte. */
export const httpAnswer: FuzzTarget = {
  name: 'http-answer',
  seeds: [
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\nt: 1\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\nto the end',
  ].map((text) => Buffer.from(text)),
  run: (input) => {
    const whole = hear([input]);
    if (whole !== 'refused') assert(whole.body.length <= input.length, 'the body is longer than what came');
    assert.deepEqual(hear(Array.from(input, (byte) => Buffer.of(byte))), whole);
  },
};
