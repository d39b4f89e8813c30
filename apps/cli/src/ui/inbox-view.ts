import type { InboxResponse } from '@peerd/protocol';
import { shortId, uniquePrefixes } from './ids.ts';
import { colorTrust, peerLabel } from './labels.ts';
import type { Colors } from './output.ts';
import { formatBytes } from './sizes.ts';
import { table } from './table.ts';
import { formatAgo } from './times.ts';

export const inboxLines = (inbox: InboxResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  const { offers, introductions } = inbox;
  if (offers.length === 0 && introductions.length === 0) return ['nothing waits for a decision'];
  const lines: string[] = [];
  if (offers.length > 0) lines.push(...offersTable(inbox, screen, colors, now));
  if (introductions.length > 0) {
    if (lines.length > 0) lines.push('');
    lines.push(...introductionsTable(inbox, screen, colors, now));
  }
  return lines;
};

const offersTable = ({ offers, introductions }: InboxResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  const prefixes = uniquePrefixes([...offers, ...introductions].map(({ id }) => id));
  const columns = [
    { title: 'ID' },
    { title: 'FROM', min: 3 },
    { title: 'TRUST', drop: 5, style: (text: string, row: number) => colorTrust(offers[row]?.trust ?? 'new', colors)(text) },
    { title: 'ENTRIES', align: 'right' as const, drop: 4 },
    { title: 'SIZE', align: 'right' as const, drop: 7 },
    { title: 'EXISTING', align: 'right' as const, drop: 3, style: (text: string) => (text === '-' ? text : colors.yellow(text)) },
    { title: 'CAME', drop: 2 },
    { title: 'NAMES', min: 12, drop: 6 },
    { title: 'NOTE', min: 8, drop: 1 },
  ];
  const rows = offers.map((offer) => [
    prefixes.get(offer.id) ?? offer.id,
    `${peerLabel(offer.from)}~${shortId(offer.from.id).slice(0, 4)}`,
    offer.trust,
    String(offer.entries),
    formatBytes(offer.bytes),
    offer.conflicts === 0 ? '-' : String(offer.conflicts),
    formatAgo(offer.receivedAt, now),
    offer.names.join(', '),
    offer.note ?? '',
  ]);
  const example = rows[0]?.[0] ?? 'ID';
  const reasons = offers.flatMap(({ why }, index) => (why === undefined ? [] : [`${colors.yellow('not by itself:')} ${rows[index]?.[0] ?? ''}: ${why}`]));
  return [
    ...table(columns, rows, screen, colors),
    ...(reasons.length === 0 ? [] : ['', ...reasons]),
    '',
    `look at it: ${colors.bold(`peerctl show ${example}`)}`,
    `take it:    ${colors.bold(`peerctl accept ${example}`)}`,
    `refuse it:  ${colors.bold(`peerctl reject ${example}`)}`,
  ];
};

const introductionsTable = ({ offers, introductions }: InboxResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  const prefixes = uniquePrefixes([...offers, ...introductions].map(({ id }) => id));
  const trust = (text: string, row: number): string => colorTrust(introductions[row]?.trust ?? 'new', colors)(text);
  const columns = [{ title: 'INTRODUCTION' }, { title: 'FROM', min: 3 }, { title: 'TRUST', drop: 3, style: trust }, { title: 'PEER ID', drop: 2 }, { title: 'CAME', drop: 1 }];
  const rows = introductions.map((introduction) => [
    prefixes.get(introduction.id) ?? introduction.id, peerLabel(introduction.from), introduction.trust, shortId(introduction.from.id), formatAgo(introduction.receivedAt, now),
  ]);
  const example = rows[0]?.[0] ?? 'ID';
  return [
    ...table(columns, rows, screen, colors),
    '',
    'these peers ask for a link:',
    `let one in: ${colors.bold(`peerctl accept ${example}`)}  (it becomes a contact)`,
    `refuse it:  ${colors.bold(`peerctl reject ${example}`)}`,
  ];
};
