import type { WhyResponse } from '@peerd/protocol';
import { colorState, peerWithId } from './labels.ts';
import type { Colors } from './output.ts';
import { formatBytes, formatRate, percent } from './sizes.ts';
import { keyValues, table } from './table.ts';
import { formatDuration } from './times.ts';

export const whyLines = (why: WhyResponse, screen: number | undefined, colors: Colors): string[] => {
  const header: (readonly [string, string])[] = [
    ['why', colors.bold(why.sentence)],
    ['id', why.id],
    [why.direction === 'send' ? 'to' : 'from', peerWithId(why.peer)],
    ['state', `${colorState(why.state, colors)(why.state)}, ${why.running ? 'for' : 'took'} ${formatDuration(why.elapsed)}`],
    ['content', `${formatBytes(why.bytesDone)} of ${formatBytes(why.bytes)} (${percent(why.bytesDone, why.bytes)}%)${why.bytesPerSecond > 0 ? `, ${formatRate(why.bytesPerSecond)}` : ''}`],
  ];
  return [...keyValues(header, screen, colors), '', ...stagesTable(why, screen, colors)];
};

const stagesTable = ({ direction, elapsed, phases, stages, bottleneck, content }: WhyResponse, screen: number | undefined, colors: Colors): string[] => {
  const there = direction === 'send' ? 'receiver' : 'here';
  const lines: (readonly [what: string, name: string, ms: number, whole: number])[] = [
    ['reaching', direction === 'send' ? 'until the offer was there' : 'the list of files', phases.reaching, elapsed],
    ['person', direction === 'send' ? 'a decision at the receiver' : 'a decision here', phases.person, elapsed],
    ['', 'the content', phases.content, elapsed],
    ['read', '  read', stages.read, phases.content],
    ['hash', '  hash', stages.hash, phases.content],
    ['socket', '  socket', stages.socket, phases.content],
    ['write', `  write (${there})`, stages.write, phases.content],
    ...(stages.compress > 0 ? [['compress', direction === 'send' ? '  compress' : '  expand', stages.compress, phases.content] as const] : []),
    ...(stages.paused > 0 ? [['paused', '  paused', stages.paused, phases.content] as const] : []),
    ...(stages.limit > 0 ? [['limit', '  rate limit', stages.limit, phases.content] as const] : []),
  ];
  const rows = lines.map(([, name, ms, whole]) => [name, ms > 0 && ms < 1_000 ? `${Math.round(ms)}ms` : formatDuration(ms), whole > 0 ? `${Math.round(Math.min(1, ms / whole) * 100)}%` : '-']);
  const isBottleneck = (row: number): boolean => [bottleneck?.what, content?.what].includes(lines[row]?.[0] as never);
  const columns = [
    { title: 'STAGE', style: (text: string, row: number) => (isBottleneck(row) ? colors.yellow(text) : text) },
    { title: 'TIME', align: 'right' as const },
    { title: 'SHARE', align: 'right' as const },
  ];
  return table(columns, rows, screen, colors);
};
