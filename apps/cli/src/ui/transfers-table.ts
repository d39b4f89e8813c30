import type { TransfersResponse, TransferSummary } from '@peerd/protocol';
import { pausedBy } from '../send/words.ts';
import { uniquePrefixes } from './ids.ts';
import { colorState, isFinal, peerLabel } from './labels.ts';
import type { Colors } from './output.ts';
import { formatBytes, percent } from './sizes.ts';
import { table } from './table.ts';
import { formatAgo } from './times.ts';

export const transfersTable = ({ transfers }: TransfersResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  if (transfers.length === 0) return ['no transfers yet: `peerctl send PEER PATH` starts one'];
  const prefixes = uniquePrefixes(transfers.map(({ id }) => id));
  const columns = [
    { title: 'ID' },
    { title: '', drop: 6 },
    { title: 'PEER', min: 5, drop: 7 },
    { title: 'STATE', style: (text: string, row: number) => colorState(transfers[row]?.state ?? 'queued', colors)(text) },
    { title: 'DONE', align: 'right' as const, drop: 5 },
    { title: 'SIZE', align: 'right' as const, drop: 4 },
    { title: 'ENTRIES', align: 'right' as const, drop: 2 },
    { title: 'CHANGED', drop: 3 },
    { title: 'NOTE', min: 8, drop: 1 },
  ];
  const rows = transfers.map((transfer) => [
    prefixes.get(transfer.id) ?? transfer.id,
    transfer.direction === 'send' ? 'to' : 'from',
    peerLabel(transfer.peer),
    transfer.state,
    done(transfer),
    formatBytes(transfer.bytes),
    String(transfer.entries),
    formatAgo(transfer.updatedAt, now),
    remark(transfer),
  ]);
  return table(columns, rows, screen, colors);
};

const remark = (transfer: TransferSummary): string => {
  if (transfer.error !== undefined) return transfer.error.message;
  return [...(transfer.state === 'paused' ? [pausedBy(transfer)] : []), ...(transfer.note === undefined ? [] : [transfer.note])].join('; ');
};

const done = ({ state, bytes, bytesDone }: TransferSummary): string => {
  if (state === 'done') return '100%';
  // An empty transfer that waits is not complete.
  if (bytes === 0 || (bytesDone === 0 && !isFinal(state))) return '-';
  return `${percent(bytesDone, bytes)}%`;
};
