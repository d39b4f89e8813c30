/** Sizes, rates and times as a person types them. */
import { parseByteSize } from '@peerd/protocol/byte-size';
import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `10G`, `500M`, `1.5GiB`, `2GB`, `1000`: whole bytes, at least one. */
export const byteCount = (text: string): number => {
  const bytes = parseByteSize(text);
  if (bytes === undefined || bytes < 1) throw new InvalidArgumentError('Write a size such as 500M, 10G, 1.5GiB or 2GB.');
  return bytes;
};

/** `500K`, `2.5M`, `1MiB/s`: bytes per second, at least 1 KiB. */
export const rate = (text: string): number => {
  const bytes = parseByteSize(text.replace(/\/s$/i, ''));
  if (bytes === undefined || bytes < 1_024) throw new InvalidArgumentError('It must be an amount of bytes each second from 1K on, such as 500K, 2.5M or 1G.');
  return bytes;
};

/** A duration from now (`90m`, `2h`, `7d`, `2w`) or an ISO 8601 time (`2026-12-31`, `2026-12-31T18:00`). Milliseconds since 1970. */
export const timeToCome = (now: () => number) => (text: string): number => {
  const given = text.trim();
  const [, number = '', unit = ''] = /^(\d{1,6})([smhdw])$/.exec(given) ?? [];
  const at = number === '' ? (/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(given) ? Date.parse(localDay(given)) : Number.NaN) : now() + Number(number) * (units[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(at)) throw new InvalidArgumentError('Write a duration such as 2h or 7d, or a time such as 2026-12-31T18:00.');
  if (at <= now()) throw new InvalidArgumentError('That time is over already.');
  return at;
};

/** A day alone would be midnight of UTC, everything else is local time. */
const localDay = (text: string): string => (text.includes('T') ? text : `${text}T00:00`);
