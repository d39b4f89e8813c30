/** Sizes and times as a person types them. */
import { InvalidArgumentError } from 'commander';

/** As in `ls -lh` and `dd`: a letter alone is binary. */
const factors: Readonly<Record<string, number>> = {
  '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12,
};
const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `10G`, `500M`, `1.5GiB`, `2GB`, `1000`: whole bytes, at least one. */
export const byteCount = (text: string): number => {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (factors[unit.toLowerCase()] ?? Number.NaN));
  if (number === '' || !Number.isSafeInteger(bytes) || bytes < 1) throw new InvalidArgumentError('Write a size such as 500M, 10G, 1.5GiB or 2GB.');
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
