/**
 * The answer to one HTTP/1.1 request (RFC 9112) as its bytes come: a head, then pieces of a body. It knows what servers on
 * a local socket send, and leaves out what a client may leave out: pipelining, compression, trailers.
 */

/** What came is no HTTP/1.1. */
export class NoHttpAnswer extends Error {}

type Phase =
  | { readonly kind: 'head' | 'chunk-size' | 'chunk-end' | 'trailers' | 'to-end' | 'ended' }
  | { readonly kind: 'content' | 'chunk'; readonly left: number };

const maxHeadBytes = 64 * 1024;
const maxLineBytes = 1024;

export class AnswerDecoder {
  #phase: Phase = { kind: 'head' };
  /** Of a head or a line that is not complete. */
  #partial: Buffer = Buffer.alloc(0);
  #status: number | undefined;

  /** Once the head is there. */
  get status(): number | undefined {
    return this.#status;
  }

  get ended(): boolean {
    return this.#phase.kind === 'ended';
  }

  /** @returns what belongs to the body; views of `bytes` @throws NoHttpAnswer */
  push(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let rest = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    this.#partial = Buffer.alloc(0);
    while (rest.length > 0 && !this.ended) {
      const taken = this.#take(rest, pieces);
      if (taken === 0) {
        this.#partial = rest;
        break;
      }
      rest = rest.subarray(taken);
    }
    return pieces;
  }

  /** The connection has ended. @returns whether the answer is complete */
  end(): boolean {
    if (this.#phase.kind === 'to-end') this.#phase = { kind: 'ended' };
    return this.ended;
  }

  /** How many bytes were used; 0: more are needed. */
  #take(rest: Buffer, pieces: Buffer[]): number {
    switch (this.#phase.kind) {
      case 'head':
        return this.#takeHead(rest);
      case 'content':
      case 'chunk': {
        const { kind, left } = this.#phase;
        const piece = rest.subarray(0, left);
        pieces.push(piece);
        if (piece.length < left) this.#phase = { kind, left: left - piece.length };
        else this.#phase = { kind: kind === 'chunk' ? 'chunk-end' : 'ended' };
        return piece.length;
      }
      case 'to-end':
        pieces.push(rest);
        return rest.length;
      default:
        return this.#takeLine(rest);
    }
  }

  #takeHead(rest: Buffer): number {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) {
      if (rest.length > maxHeadBytes || !'HTTP/1.1 '.startsWith(rest.toString('latin1', 0, Math.min(rest.length, 9)))) throw new NoHttpAnswer('no head of an HTTP answer');
      return 0;
    }
    const head = rest.toString('latin1', 0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})(?: |\r\n|$)/.exec(head)?.[1]);
    if (Number.isNaN(status)) throw new NoHttpAnswer('no status in an HTTP answer');
    // An interim answer: the real one follows.
    if (status >= 200) {
      this.#status = status;
      this.#phase = bodyPhase(status, head);
    }
    return end + 4;
  }

  #takeLine(rest: Buffer): number {
    const end = rest.indexOf('\r\n');
    if (end > maxLineBytes || (end < 0 && rest.length > maxLineBytes)) throw new NoHttpAnswer('a line of an HTTP answer has no end');
    if (end < 0) return 0;
    if (this.#phase.kind === 'chunk-size') this.#phase = chunkPhase(rest.toString('latin1', 0, end));
    else if (this.#phase.kind === 'trailers') this.#phase = { kind: end === 0 ? 'ended' : 'trailers' };
    else if (end === 0) this.#phase = { kind: 'chunk-size' };
    else throw new NoHttpAnswer('a chunk of an HTTP answer is longer than it says');
    return end + 2;
  }
}

const bodyPhase = (status: number, head: string): Phase => {
  if (status === 204 || status === 304) return { kind: 'ended' };
  if (/\r\ntransfer-encoding: *chunked *(?:\r\n|$)/i.test(head)) return { kind: 'chunk-size' };
  const length = /\r\ncontent-length: *(\d{1,15}) *(?:\r\n|$)/i.exec(head)?.[1];
  if (length === undefined) return { kind: 'to-end' };
  return Number(length) === 0 ? { kind: 'ended' } : { kind: 'content', left: Number(length) };
};

const chunkPhase = (line: string): Phase => {
  const size = /^([\da-f]{1,12}) *(?:;|$)/i.exec(line)?.[1];
  if (size === undefined) throw new NoHttpAnswer('a chunk of an HTTP answer has no size');
  const left = Number.parseInt(size, 16);
  return left === 0 ? { kind: 'trailers' } : { kind: 'chunk', left };
};
