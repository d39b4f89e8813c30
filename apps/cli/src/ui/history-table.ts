import type { HistoryEntry, HistoryQuery, HistoryResponse } from '@peerd/protocol';
import { uniquePrefixes } from './ids.ts';
import { colorState, peerLabel } from './labels.ts';
import type { Colors } from './output.ts';
import { pageLines } from './paging.ts';
import { formatBytes } from './sizes.ts';
import { table } from './table.ts';
import { formatAgo } from './times.ts';

export const historyTable = ({ transfers, total, offset }: HistoryResponse, { peer, state }: HistoryQuery, screen: number | undefined, colors: Colors, now: number): string[] => {
  const paging = pageLines(`history${peer === undefined ? '' : ` --peer ${peer}`}${state === undefined ? '' : ` --state ${state}`}`, offset, transfers.length, total);
  if (total === 0) return [peer === undefined && state === undefined ? 'no transfer has ended yet' : 'no such transfer'];
  if (transfers.length === 0) return paging;
  const prefixes = uniquePrefixes(transfers.map(({ id }) => id));
  const columns = [
    { title: 'ENDED', drop: 3 },
    { title: 'ID' },
    { title: '', drop: 5 },
    { title: 'PEER', min: 3 },
    { title: 'STATE', style: (text: string, row: number) => colorState(transfers[row]?.state ?? 'done', colors)(text) },
    { title: 'SIZE', align: 'right' as const, drop: 2 },
    { title: 'RECEIPT', drop: 1 },
    { title: 'SAVED AS', min: 16, drop: 4, cut: 'middle' as const },
  ];
  const rows = transfers.map((transfer) => [
    formatAgo(transfer.finishedAt, now),
    prefixes.get(transfer.id) ?? transfer.id,
    transfer.direction === 'send' ? 'to' : 'from',
    peerLabel(transfer.peer),
    transfer.state,
    formatBytes(transfer.bytes),
    transfer.receipt === 'verified' ? 'verified' : '-',
    outcome(transfer),
  ]);
  return [...table(columns, rows, screen, colors), ...paging];
};

/** Where it is, or why it is not. */
const outcome = ({ savedAs, error }: HistoryEntry): string => {
  const [first, ...more] = savedAs;
  const names = first === undefined ? '' : more.length === 0 ? first : `${first} and ${more.length} more`;
  return error === undefined ? names : names === '' ? error.message : `${names}; ${error.message}`;
};
