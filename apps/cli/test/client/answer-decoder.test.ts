import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerDecoder, NoHttpAnswer } from '../../src/client/answer-decoder.ts';

/** @param cuts where the answer is divided into parts */
const decode = (answer: Buffer, cuts: readonly number[] = []): { status: number | undefined; body: Buffer; ended: boolean } => {
  const decoder = new AnswerDecoder();
  const ends = [...new Set(cuts.map((cut) => cut % (answer.length + 1)))].sort((a, b) => a - b);
  const body: Buffer[] = [];
  let start = 0;
  for (const end of [...ends, answer.length]) {
    body.push(...decoder.push(Buffer.from(answer.subarray(start, end))));
    start = end;
  }
  return { status: decoder.status, body: Buffer.concat(body), ended: decoder.ended };
};

const chunked = (pieces: readonly Uint8Array[]): Buffer =>
  Buffer.concat([...pieces.filter(({ length }) => length > 0).flatMap((piece) => [Buffer.from(`${piece.length.toString(16)};x=y\r\n`), piece, Buffer.from('\r\n')]), Buffer.from('0\r\ntrailer: 1\r\n\r\n')]);

describe('AnswerDecoder', () => {
  test('any content comes out as it went in, with a length or in chunks, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.boolean(), fc.boolean(), fc.array(fc.nat(), { maxLength: 30 }), (pieces, inChunks, interim, cuts) => {
        const content = Buffer.concat(pieces);
        const head = `${interim ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''}HTTP/1.1 207 Whatever\r\nX-Y: z\r\n${inChunks ? 'Transfer-Encoding: chunked' : `content-LENGTH:${content.length}`}\r\nb: c\r\n\r\n`;
        const answer = Buffer.concat([Buffer.from(head), inChunks ? chunked(pieces) : content]);
        expect(decode(answer, cuts)).toEqual({ status: 207, body: content, ended: true });
        // Without its last byte it is not complete, however it was cut.
        expect(decode(answer.subarray(0, -1), cuts).ended).toBe(false);
      }),
    );
  });

  test('without a length, the body lasts as long as the connection', () => {
    const decoder = new AnswerDecoder();
    expect(decoder.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nab')).map(String)).toEqual(['ab']);
    expect(decoder.push(Buffer.from('c')).map(String)).toEqual(['c']);
    expect([decoder.ended, decoder.end(), decoder.ended]).toEqual([false, true, true]);
  });

  test.each(['HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'])('has no body: %j', (answer) => expect(decode(Buffer.from(answer)).ended).toBe(true));

  test('a connection that ends early is no answer', () => {
    const decoder = new AnswerDecoder();
    decoder.push(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab'));
    expect(decoder.end()).toBe(false);
  });

  test.each([
    ['another protocol', '220 mail.example ESMTP'],
    ['another version', 'HTTP/2 200 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n'],
    ['a chunk that is too long', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n'],
    ['a size without an end', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1'.repeat(2_000)}`],
  ])('refuses %s', (_, answer) => {
    expect(() => decode(Buffer.from(answer))).toThrow(NoHttpAnswer);
  });
});
