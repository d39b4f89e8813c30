import type { FileView, StageTimes, TransferDetail } from '@peerd/protocol';
import { pausedBy } from '../send/words.ts';
import { colorState, colorTrust, peerWithId } from './labels.ts';
import { diffText, reasonsText, riskText, spaceText } from './outlook-text.ts';
import type { Colors } from './output.ts';
import { count, formatBytes, formatRate, percent } from './sizes.ts';
import { keyValues, table } from './table.ts';
import { formatAgo, formatDate, formatDuration } from './times.ts';

export const showLines = (detail: TransferDetail, screen: number | undefined, colors: Colors, now: number): string[] => [
  ...keyValues(header(detail, colors, now), screen, colors),
  ...(detail.files.length === 0 ? [] : ['', ...filesTable(detail.files, screen, colors)]),
  ...paging(detail),
];

const header = (detail: TransferDetail, colors: Colors, now: number): (readonly [string, string])[] => {
  const { chunks } = detail;
  const pairs: (readonly [string, string])[] = [
    ['id', detail.id],
    [detail.direction === 'send' ? 'to' : 'from', peerWithId(detail.peer)],
    ['state', colorState(detail.state, colors)(detail.state) + (detail.state === 'paused' ? `: ${pausedBy(detail)}` : '') + (detail.error === undefined ? '' : `: ${detail.error.message} (${detail.error.code})`)],
    ['content', `${count(detail.entries, 'entry', 'entries')}, ${formatBytes(detail.bytes)}`],
  ];
  if (detail.offer !== undefined) {
    const { trust, conflict, destination, diff, space } = detail.offer;
    pairs.push(['trust', colorTrust(trust, colors)(trust)], ['would go to', destination], ['there', diffText(diff, conflict, diff.same, colors)], ['space', spaceText(space, colors)]);
    const risk = riskText(diff.risky, [], colors);
    if (risk !== undefined) pairs.push(['risk', risk]);
  }
  if (detail.note !== undefined) pairs.push(['note', detail.note]);
  if (detail.group !== undefined) pairs.push(['group', detail.group]);
  if (detail.bytesDone > 0) pairs.push(['done', `${formatBytes(detail.bytesDone)} (${percent(detail.bytesDone, detail.bytes)}%)`]);
  if (detail.kept !== undefined) pairs.push(['skipped', `${count(detail.kept, 'entry', 'entries')}, there already`]);
  pairs.push(['created', formatDate(detail.createdAt)], ['changed', formatAgo(detail.updatedAt, now)]);
  for (const [index, path] of detail.savedAs.entries()) pairs.push([index === 0 ? 'saved as' : '', path]);
  if (chunks.sent + chunks.received + chunks.reused > 0)
    pairs.push(['chunks', `${chunks.sent} sent, ${chunks.received} received, ${chunks.reused} reused, ${chunks.rewritten} rewritten, ${formatBytes(chunks.chunkSize)} each`]);
  const traffic = trafficText(detail);
  if (traffic !== undefined) pairs.push(['travelled', traffic]);
  if (detail.limitRate !== undefined) pairs.push(['at most', formatRate(detail.limitRate)]);
  const stages = stageText(detail.stages);
  if (stages !== '') pairs.push(['time', stages]);
  if (detail.receipt !== null) {
    const { receivedAt, durability, verified } = detail.receipt;
    const signature = verified ? colors.green('signature verified') : colors.red('signature NOT verified');
    pairs.push(['receipt', `${formatDate(receivedAt)}, ${durability === 'transfer' ? 'on stable storage' : 'not yet on stable storage'}, ${signature}`]);
  }
  return pairs;
};

/** Absent while nothing has. */
const trafficText = ({ traffic, compress }: TransferDetail): string | undefined => {
  const { wireBytes, compressed, savedBytes } = traffic;
  if (wireBytes === 0) return undefined;
  const saved = compressed === 0 ? (compress === 'off' ? ', compression off' : '') : `, ${formatBytes(savedBytes)} (${percent(savedBytes, wireBytes + savedBytes)}%) saved by compression`;
  return `${formatBytes(wireBytes)}${saved}`;
};

const stageNames: readonly (readonly [keyof StageTimes, string])[] = [
  ['read', 'read'],
  ['hash', 'hash'],
  ['socket', 'socket'],
  ['write', 'write'],
  ['limit', 'rate limit'],
  ['compress', 'compression'],
  ['paused', 'paused'],
  ['waiting', 'waiting for a person'],
];

const stageText = (stages: StageTimes): string =>
  stageNames
    .filter(([stage]) => stages[stage] >= 1)
    .map(([stage, name]) => `${name} ${formatDuration(stages[stage])}`)
    .join(', ');

const filesTable = (files: readonly FileView[], screen: number | undefined, colors: Colors): string[] => {
  const columns = [
    { title: 'PATH', min: 16, cut: 'middle' as const },
    { title: 'SIZE', align: 'right' as const },
    { title: 'STATE', drop: 3, style: (text: string, row: number) => colorFile(files[row]?.state ?? 'waiting', colors)(text) },
    { title: 'THERE', drop: 5, style: (text: string, row: number) => (files[row]?.diff === 'conflict' ? colors.yellow(text) : text) },
    { title: 'LOOK AT', min: 10, drop: 4, style: (text: string) => colors.yellow(text) },
    { title: 'SAVED AS', min: 16, drop: 2, cut: 'middle' as const },
    { title: '', min: 8, drop: 1 },
  ];
  const saved = files.some(({ savedAs }) => savedAs !== undefined);
  const failed = files.some(({ error }) => error !== undefined);
  const compared = files.some(({ diff }) => diff !== undefined);
  const risky = files.some((file) => file.risky !== undefined);
  const cells = files.map((file) => [
    file.type === 'directory' ? `${file.path}/` : file.type === 'symlink' ? `${file.path} -> ${file.target ?? '?'}` : file.path,
    file.type === 'file' ? formatBytes(file.bytes) : '-',
    ...(compared ? [] : [file.state]),
    ...(compared ? [file.diff ?? ''] : []),
    ...(risky ? [reasonsText(file.risky ?? [])] : []),
    ...(saved ? [file.savedAs ?? ''] : []),
    ...(failed ? [file.error?.message ?? ''] : []),
  ]);
  const used = columns.filter(({ title }) => (title === 'STATE' ? !compared : title === 'THERE' ? compared : title === 'LOOK AT' ? risky : title === 'SAVED AS' ? saved : title === '' ? failed : true));
  return table(used, cells, screen, colors);
};

const colorFile = (state: FileView['state'], colors: Colors): ((text: string) => string) =>
  state === 'done' ? colors.green : state === 'failed' ? colors.red : state === 'skipped' ? colors.yellow : (text) => text;

const paging = ({ id, files, filesOffset, filesTotal }: TransferDetail): string[] => {
  const end = filesOffset + files.length;
  if (files.length === filesTotal) return [];
  if (files.length === 0) return ['', `no entry at offset ${filesOffset}: there are ${filesTotal}`];
  return ['', `entries ${filesOffset + 1} to ${end} of ${filesTotal}${end < filesTotal ? `; the next: peerctl show ${id} --offset ${end}` : ''}`];
};
