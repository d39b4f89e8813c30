/** Ids as people see them. */

/** First 8 characters of a peer id. */
export const shortId = (id: string): string => id.slice(0, 8);

/** In groups of four, as people compare it aloud. */
export const groupedId = (id: string): string => id.match(/.{1,4}/g)?.join('-') ?? id;

/** A transfer id begins with its time (10 characters); two more tell most of one millisecond apart. */
const minTransferPrefix = 12;

/** The shortest prefix, at least 12 characters, that names each of these transfers alone. */
export const uniquePrefixes = (ids: readonly string[]): ReadonlyMap<string, string> => {
  const sorted = [...new Set(ids)].sort();
  const common = (a: string, b: string | undefined): number => {
    let length = 0;
    for (; length < a.length; length += 1) if (a[length] !== b?.[length]) break;
    return length;
  };
  return new Map(sorted.map((id, index) => [id, id.slice(0, Math.max(minTransferPrefix, common(id, sorted[index - 1]) + 1, common(id, sorted[index + 1]) + 1))]));
};
