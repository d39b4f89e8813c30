/** Amounts as people read them. */
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** `0 B`, `1023 B`, `1.5 KiB`, `12 MiB`, `256 MiB`: at most four digits, binary units. */
export const formatBytes = (bytes: number): string => {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.5 would be shown as 1024 of the unit below.
  while (unit < units.length - 1 && (unit === 0 ? value >= 1024 : value >= 1023.5)) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
};

export const formatRate = (bytesPerSecond: number): string => `${formatBytes(Math.round(bytesPerSecond))}/s`;

/** `1 entry`, `3 entries`. */
export const count = (number: number, singular: string, plural: string = `${singular}s`): string => `${number} ${number === 1 ? singular : plural}`;

/** 0–100; 100 only when everything is done. An empty transfer is complete from the start. */
export const percent = (done: number, total: number): number => (done >= total ? 100 : Math.min(99, Math.floor((done / total) * 100)));
