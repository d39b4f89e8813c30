/** Why transfers end, between errors, messages and what is stored. */
import { isErrorCode, PeerdError, reasonMaxBytes, type TransferEnd } from '@peerd/protocol';

/** Whole characters, at most `bytes` bytes of UTF-8, without NUL. */
export const clipped = (text: string, bytes: number = reasonMaxBytes): string => {
  const clean = text.replaceAll('\0', '').toWellFormed();
  if (Buffer.byteLength(clean) <= bytes) return clean;
  let result = '';
  let length = 0;
  for (const character of clean) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    result += character;
  }
  return result;
};

export const endOf = (error: unknown): TransferEnd => {
  if (error instanceof PeerdError) return { code: error.code, message: clipped(error.message) };
  const code = (error as NodeJS.ErrnoException).code;
  const message = clipped(error instanceof Error ? error.message : String(error));
  if (code === 'ENOSPC' || code === 'EDQUOT') return { code: 'no_space', message };
  return { code: typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? 'io_error' : 'internal', message };
};

/** What the other side said. A code of a newer version is kept as long as it looks like one. */
export const saidEnd = (body: { code: string; message: string }): TransferEnd => ({
  code: isErrorCode(body.code) || /^[a-z][a-z_]{0,63}$/.test(body.code) ? body.code : 'internal',
  message: body.message,
});

export const saidCancel = (body: { message: string }, by: 'sender' | 'receiver'): TransferEnd => ({
  code: 'cancelled',
  message: body.message === '' ? `cancelled by the ${by}` : body.message,
});

/** Of a cancel made here. */
export const ownCancel = (direction: 'send' | 'receive'): TransferEnd => ({ code: 'cancelled', message: `cancelled by the ${direction === 'send' ? 'sender' : 'receiver'}` });
