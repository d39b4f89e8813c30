/** What the journal remembers once all content is complete: after that nothing of it is asked from the sender again. */
import { isErrorCode } from '@peerd/protocol';
import { IndexSet } from '../store/index-set.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface Seal {
  readonly contentRoot: Buffer;
  readonly failures: ReadonlyMap<number, Failure>;
  /** By entry index: left as they were in the destination (policy `skip`). */
  readonly skipped: IndexSet;
}

export const encodeSealContent = (seal: Seal): Buffer =>
  Buffer.from(
    JSON.stringify({
      contentRoot: seal.contentRoot.toString('base64'),
      failures: [...seal.failures].map(([entry, { code, message }]) => [entry, code, message]),
      skipped: [...seal.skipped.runs(seal.skipped.size)].map(({ start, count }) => [start, count]),
    }),
  );

/** The journal has checked its hash, so it is what `encodeSealContent` made. */
export const decodeSealContent = (content: Buffer, entries: number): Seal => {
  const seal = JSON.parse(content.toString()) as { contentRoot: string; failures: [number, string, string][]; skipped: [number, number][] };
  const skipped = new IndexSet(entries);
  for (const [start, count] of seal.skipped) for (let entry = start; entry < start + count; entry += 1) skipped.set(entry);
  return {
    skipped,
    contentRoot: Buffer.from(seal.contentRoot, 'base64'),
    failures: new Map(seal.failures.map(([entry, code, message]) => [entry, { code: isErrorCode(code) ? code : 'io_error', message }])),
  };
};
