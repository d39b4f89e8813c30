/** Figures for people. Pure. */

const KiB = 1024;

/** 2 GiB, 4 KiB, 1.4 MiB */
export const bytesText = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  for (; value >= KiB && unit < 4; unit += 1) value /= KiB;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
};

/** Bytes per second as the tools of the field tell it: powers of 1000. */
export const rateText = (bytesPerSecond: number): string => (bytesPerSecond >= 1e9 ? `${(bytesPerSecond / 1e9).toFixed(2)} GB/s` : `${(bytesPerSecond / 1e6).toFixed(0)} MB/s`);

export const secondsText = (seconds: number): string => (seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1_000).toFixed(seconds < 0.01 ? 2 : 0)} ms`);

export const countText = (count: number): string => Math.round(count).toLocaleString('en-US');

export const megabytesText = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** 3 rounds, 1 round */
export const amountOf = (count: number, what: string): string => `${countText(count)} ${what}${count === 1 ? '' : 's'}`;

/** In one line, cut where it is longer. */
export const clipped = (text: string, length: number): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
};
