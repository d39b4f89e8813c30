/** Zstandard (RFC 8878) for one payload at a time, in libuv's pool: nothing of a payload is needed to read another one. */
import { constants, createZstdCompress, zstdDecompress } from 'node:zlib';
import { PeerdError, zstdMaxWindowBytes } from '@peerd/protocol';

interface Result {
  readonly bytes: Buffer;
  /**
   * Gives the memory back at once; nothing may read it from then on. Left to the garbage collector, a MiB with each small object
   * makes it walk the whole heap every 64 MiB, which costs more than compressing them.
   */
  readonly release: () => void;
}

const isTooLarge = (error: Error): boolean => 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
/**
 * One output buffer, and so one job of the pool; Node's own size is 16 KiB. A byte more than the result may have, or Node would
 * ask for a second one to see whether anything follows. Node takes none below 64.
 */
const outputBytes = (maxBytes: number): number => Math.max(64, maxBytes + 1);

const resultOf = (bytes: Buffer, memoryBytes: number): Result => ({
  bytes,
  release: () => {
    // Not what others have a part of: small buffers stand in memory that Node shares among them.
    if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === memoryBytes) bytes.buffer.transfer(0);
  },
});

/** @returns one zstd frame, in parts, or `undefined` where it would have more than `maxBytes` */
export const compress = async (plain: Uint8Array, level: number, maxBytes: number): Promise<{ readonly parts: readonly Buffer[]; readonly release: () => void } | undefined> => {
  const chunkSize = outputBytes(maxBytes);
  // Not by `zstdCompress`: Node ends the frame in a second step, and that would put both parts together in further memory.
  const stream = createZstdCompress({ chunkSize, pledgedSrcSize: plain.byteLength, params: { [constants.ZSTD_c_compressionLevel]: level } });
  stream.end(plain);
  const results: Result[] = [];
  const release = (): void => {
    for (const result of results) result.release();
  };
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    results.push(resultOf(part, chunkSize));
    bytes += part.length;
    if (bytes > maxBytes) {
      release();
      return undefined;
    }
  }
  return { parts: results.map((result) => result.bytes), release };
};

/** Exactly `length` bytes: what would have more is given up at that point. @throws PeerdError `malformed_frame` */
export const expand = (content: Uint8Array, length: number): Promise<Result> => {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const chunkSize = outputBytes(length);
  zstdDecompress(content, { chunkSize, maxOutputLength: length, rejectGarbageAfterEnd: true, params: { [constants.ZSTD_d_windowLogMax]: Math.log2(zstdMaxWindowBytes) } }, (cause, plain) => {
    if (cause !== null) reject(new PeerdError('malformed_frame', isTooLarge(cause) ? `compressed: more than the ${length} bytes that it stands for` : 'compressed: not one zstd frame', { cause }));
    else if (plain.length !== length) reject(new PeerdError('malformed_frame', `compressed: ${plain.length} bytes, it stands for ${length}`));
    else resolve(resultOf(plain, chunkSize));
  });
  return promise;
};
