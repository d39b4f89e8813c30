/** Items in pages that are bounded in number and in bytes. */
import { MiB, rosterPageEntries } from '@peerd/protocol';

/** Room for the frame's own fields below the bound of `roster-snapshot` (1 MiB). */
const pageMaxBytes: number = MiB - 1_024;

/** In order, at least one page. An item is smaller than `maxBytes`. */
export const paged = <Item>(items: Iterable<Item>, bytesOf: (item: Item) => number, maxBytes: number = pageMaxBytes): [Item[], ...Item[][]] => {
  let page: Item[] = [];
  let bytes = 0;
  const pages: [Item[], ...Item[][]] = [page];
  for (const item of items) {
    const size = bytesOf(item);
    if (page.length === rosterPageEntries || bytes + size > maxBytes) {
      page = [];
      bytes = 0;
      pages.push(page);
    }
    page.push(item);
    bytes += size;
  }
  return pages;
};
