/** What the journal remembers once all content is complete: after that nothing of it is asked from the sender again. */
import { isErrorCode } from '@peerd/protocol';

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface Seal {
  readonly contentRoot: Buffer;
  readonly failures: ReadonlyMap<number, Failure>;
}

export const encodeSealContent = (seal: Seal): Buffer =>
  Buffer.from(
    JSON.stringify({
      contentRoot: seal.contentRoot.toString('base64'),
      failures: [...seal.failures].map(([entry, { code, message }]) => [entry, code, message]),
    }),
  );

/** The journal has checked its hash, so it is what `encodeSealContent` made. */
export const decodeSealContent = (content: Buffer): Seal => {
  const seal = JSON.parse(content.toString()) as { contentRoot: string; failures: [number, string, string][] };
  return {
    contentRoot: Buffer.from(seal.contentRoot, 'base64'),
    failures: new Map(seal.failures.map(([entry, code, message]) => [entry, { code: isErrorCode(code) ? code : 'io_error', message }])),
  };
};
