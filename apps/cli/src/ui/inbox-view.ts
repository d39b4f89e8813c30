import type { InboxOffer, InboxResponse } from '@peerd/protocol';
import { shortId, uniquePrefixes } from './ids.ts';
import { colorTrust, peerLabel } from './labels.ts';
import { diffText, riskText, spaceText } from './outlook-text.ts';
import type { Colors } from './output.ts';
import { count, formatBytes } from './sizes.ts';
import { keyValues, table } from './table.ts';
import { formatAgo } from './times.ts';

/** As many names as the daemon tells at most. */
const shownNames = 10;

export const inboxLines = (inbox: InboxResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  const { offers, introductions, verifications = [] } = inbox;
  if (offers.length === 0 && introductions.length === 0 && verifications.length === 0) return ['nothing waits for a decision'];
  const lines: string[] = [];
  if (offers.length > 0) lines.push(...offersList(inbox, screen, colors, now));
  if (introductions.length > 0) {
    if (lines.length > 0) lines.push('');
    lines.push(...introductionsTable(inbox, screen, colors, now));
  }
  if (verifications.length > 0 && lines.length > 0) lines.push('');
  for (const { from } of verifications) lines.push(`${peerLabel(from)} waits to compare codes with you: ${colors.bold(`peerctl verify ${shortId(from.id)}`)}`);
  return lines;
};

/** One paragraph each: what a person decides about wants words. */
const offersList = ({ offers, introductions }: InboxResponse, screen: number | undefined, colors: Colors, now: number): string[] => {
  const prefixes = uniquePrefixes([...offers, ...introductions].map(({ id }) => id));
  const idOf = ({ id }: InboxOffer): string => prefixes.get(id) ?? id;
  const paragraphs = offers.map((offer) => keyValues([[idOf(offer), headline(offer, colors, now)], ...particulars(offer, colors).map((text) => ['', text] as const)], screen, colors));
  const example = offers[0] === undefined ? 'ID' : idOf(offers[0]);
  return [
    ...paragraphs.flatMap((lines) => [...lines, '']),
    `look at it: ${colors.bold(`peerctl show ${example}`)}`,
    `take it:    ${colors.bold(`peerctl accept ${example}`)}`,
    `refuse it:  ${colors.bold(`peerctl reject ${example}`)}`,
  ];
};

const headline = ({ from, trust, entries, bytes, receivedAt }: InboxOffer, colors: Colors, now: number): string =>
  `${peerLabel(from)}~${shortId(from.id).slice(0, 4)} (${colorTrust(trust, colors)(trust)}) offers ${count(entries, 'entry', 'entries')}, ${formatBytes(bytes)}, ${formatAgo(receivedAt, now)}`;

const particulars = ({ names, entries, note, why, diff, conflict, conflicts, risks, space }: InboxOffer, colors: Colors): string[] => {
  const risk = riskText(diff.risky, risks, colors);
  return [
    `${names.join(', ')}${names.length > 0 && names.length < entries && names.length === shownNames ? ', …' : ''}`,
    ...(note === undefined ? [] : [`"${note}"`]),
    ...(why === undefined ? [] : [`${colors.yellow('not by itself:')} ${why}`]),
    diffText(diff, conflict, conflicts, colors),
    ...(risk === undefined ? [] : [risk]),
    spaceText(space, colors),
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
