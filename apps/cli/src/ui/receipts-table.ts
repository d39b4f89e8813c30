import type { ReceiptsResponse, ReceiptView } from '@peerd/protocol';
import { uniquePrefixes } from './ids.ts';
import { peerLabel } from './labels.ts';
import type { Colors } from './output.ts';
import { pageLines } from './paging.ts';
import { table } from './table.ts';
import { formatDate } from './times.ts';

export const receiptsTable = ({ receipts, total, offset }: ReceiptsResponse, screen: number | undefined, colors: Colors): string[] => {
  if (total === 0) return ['no receipts yet: a transfer that was delivered leaves one'];
  if (receipts.length === 0) return pageLines('receipts', offset, 0, total);
  const columns = [
    { title: 'SEQ', align: 'right' as const },
    { title: '', drop: 5 },
    { title: 'PEER', min: 3 },
    { title: 'TRANSFER' },
    { title: 'RECEIVED', drop: 4 },
    { title: 'ENTRIES', align: 'right' as const, drop: 3 },
    { title: 'ON DISK', drop: 2 },
    { title: 'CONTENT', min: 8, drop: 1 },
  ];
  const prefixes = uniquePrefixes(receipts.map(({ transfer }) => transfer));
  const rows = receipts.map((entry) => [String(entry.seq), entry.role === 'sent' ? 'to' : 'from', peerLabel(entry.peer), prefixes.get(entry.transfer) ?? entry.transfer, ...stated(entry)]);
  return [...table(columns, rows, screen, colors), ...pageLines('receipts', offset, receipts.length, total)];
};

const stated = ({ receipt }: ReceiptView): string[] => {
  if (receipt === null) return ['NOT IN ITS PLACE', '', '', 'see `peerctl receipts verify`'];
  const { receivedAt, delivered, failed, skipped = 0, durability, contentRoot } = receipt;
  const others = failed + skipped;
  return [formatDate(receivedAt), others === 0 ? String(delivered) : `${delivered} of ${delivered + others}`, durability === 'transfer' ? 'yes' : 'not flushed', contentRoot.slice(0, 16)];
};
