/** `send --dry-run`: what would be sent, and what the receivers say of it. */
import type { DryRunPeer, DryRunResponse, SendRequest } from '@peerd/protocol';
import type { Context } from '../context.ts';
import { peerLabel } from '../ui/labels.ts';
import type { Colors } from '../ui/output.ts';
import { diffText } from '../ui/outlook-text.ts';
import { count, formatBytes } from '../ui/sizes.ts';
import { table } from '../ui/table.ts';
import { describeSkipped } from './words.ts';

/** Entries, and paths of a receiver, that a person sees. */
const shownFiles = 50;
const shownPaths = 10;

export const dryRun = async ({ client, output, signal }: Context, request: SendRequest): Promise<void> => {
  const response = await client.dryRun(request, signal);
  if (output.json) return output.document(response);
  for (const warning of response.warnings) output.warn(warning);
  for (const entry of response.skipped) output.warn(describeSkipped(entry));
  for (const line of dryRunLines(response, request, output.columns(), output.colors)) output.line(line);
};

const dryRunLines = (response: DryRunResponse, request: SendRequest, screen: number | undefined, colors: Colors): string[] => {
  const { entries, bytes, files, peers } = response;
  const rows = files.slice(0, shownFiles).map(({ path, type, bytes: size }) => [type === 'directory' ? `${path}/` : path, type === 'file' ? formatBytes(size) : '-']);
  const more = entries - rows.length;
  return [
    `would send ${count(entries, 'entry', 'entries')}, ${formatBytes(bytes)}; nothing is sent now`,
    '',
    ...table([{ title: 'PATH', min: 16, cut: 'middle' }, { title: 'SIZE', align: 'right' }], rows, screen, colors),
    ...(more > 0 ? [`and ${more} more`] : []),
    '',
    ...peers.flatMap((peer) => peerLines(peer, request, colors)),
  ];
};

const peerLines = (answered: DryRunPeer, { conflict = 'rename' }: SendRequest, colors: Colors): string[] => {
  const who = colors.bold(peerLabel(answered.peer));
  const why = answered.message === undefined || answered.message === '' ? '' : `: ${answered.message}`;
  switch (answered.answer) {
    case 'compared': {
      const { diff, conflicts = [], fits } = answered;
      if (diff === undefined) return [];
      const left = diff.conflict - Math.min(conflicts.length, shownPaths);
      return [
        `${who}: ${diffText({ ...diff, risky: 0 }, conflict, diff.same, colors)}`,
        ...conflicts.slice(0, shownPaths).map((path) => `  in conflict: ${path}`),
        ...(conflicts.length > 0 && left > 0 ? [`  and ${left} more in conflict`] : []),
        ...(fits === false ? [`  ${colors.red('too little space there')}`] : []),
      ];
    }
    case 'asks':
      return [`${who}: a person decides there, so what is there is not told`];
    case 'away':
      return [`${who}: away${why}; what is there is not known`];
    case 'silent':
      return [`${who}: no answer, perhaps from an older peerd; what is there is not known`];
    case 'unable':
      return [`${who}: cannot tell what is there${why}`];
  }
};
