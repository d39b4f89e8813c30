/** Amounts of bytes as people write them, with the units of rsync and dd. */

const powers = ['', 'K', 'M', 'G', 'T', 'P'];

/**
 * `1048576`, `512K`, `1.5M`, `2GiB`, `10GB`, in any case: K, M, G, T, P and KiB … are powers of 1024, KB … powers of 1000.
 *
 * @returns whole bytes; `undefined` if it is no such amount, or above 2^53 − 1
 */
export const parseByteSize = (text: string): number | undefined => {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([KMGTP]?)(I?B)?$/.exec(text.trim().toUpperCase());
  if (!match) return undefined;
  const [, amount = '', prefix = '', suffix] = match;
  if (prefix === '' && suffix === 'IB') return undefined;
  const bytes = Math.round(Number(amount) * (prefix !== '' && suffix === 'B' ? 1_000 : 1_024) ** powers.indexOf(prefix));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
};
