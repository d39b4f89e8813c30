/** Zstandard (RFC 8878) for one payload at a time, in libuv's pool: nothing of a payload is needed to read another one. */
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { PeerdError, zstdMaxWindowBytes } from '@peerd/protocol';

const isTooLarge = (error: Error): boolean => 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
/** Node's smallest output buffer. */
const minOutputBytes = 64;

/** @returns one zstd frame, or `undefined` where it would have more than `maxBytes` */
export const compress = (plain: Uint8Array, level: number, maxBytes: number): Promise<Buffer | undefined> => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  // One output buffer, and so one job of the pool; the default has 16 KiB.
  const chunkSize = Math.max(minOutputBytes, maxBytes + 1);
  zstdCompress(plain, { chunkSize, maxOutputLength: maxBytes, pledgedSrcSize: plain.byteLength, params: { [constants.ZSTD_c_compressionLevel]: level } }, (error, compressed) => {
    if (error === null) resolve(compressed);
    else if (isTooLarge(error)) resolve(undefined);
    else reject(error);
  });
  return promise;
};

/** Exactly `length` bytes: what would have more is given up at that point. @throws PeerdError `malformed_frame` */
export const expand = (content: Uint8Array, length: number): Promise<Buffer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // A byte more, or Node would ask for a second buffer to see whether anything follows.
  const chunkSize = Math.max(minOutputBytes, length + 1);
  zstdDecompress(content, { chunkSize, maxOutputLength: length, rejectGarbageAfterEnd: true, params: { [constants.ZSTD_d_windowLogMax]: Math.log2(zstdMaxWindowBytes) } }, (cause, plain) => {
    if (cause !== null) reject(new PeerdError('malformed_frame', isTooLarge(cause) ? `compressed: more than the ${length} bytes that it stands for` : 'compressed: not a zstd frame', { cause }));
    else if (plain.length !== length) reject(new PeerdError('malformed_frame', `compressed: ${plain.length} bytes, it stands for ${length}`));
    else resolve(plain);
  });
  return promise;
};
