import type { StatusResponse } from '@peerd/protocol';
import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { groupedId, shortId } from '../ui/ids.ts';
import { peerWithId } from '../ui/labels.ts';
import type { Colors } from '../ui/output.ts';
import { count } from '../ui/sizes.ts';
import { formatDuration } from '../ui/times.ts';
import { examples } from './usage.ts';

export const addStatus = (program: Command, run: Run): void => {
  program
    .command('status')
    .summary('show what the local peerd is doing')
    .description('Shows what the local peerd is doing: its addresses, its rendezvous, its links and how many transfers are under way.')
    .addHelpText('after', examples(['peerctl status', 'addresses, rendezvous, links, transfers'], ["peerctl status --json | jq -r '.listen[0]'", 'the address that was bound']))
    .action(
      run(async ({ client, output, signal }) => {
        const status = await client.status(signal);
        if (output.json) return output.document(status);
        const { keyValues } = await import('../ui/table.ts');
        for (const line of keyValues(pairs(status, output.colors, Date.now()), output.columns(), output.colors)) output.line(line);
      }),
    );
};

const pairs = (status: StatusResponse, colors: Colors, now: number): (readonly [string, string])[] => [
  ['peerd', status.version],
  ['name', status.name],
  ['id', groupedId(status.id)],
  ['room', status.room],
  ...several('listening on', status.listen, 'nothing'),
  ['metrics', status.metrics === null ? 'off' : `http://${status.metrics}/metrics`],
  ['downloads', status.downloadDir],
  ['accept', status.accept === 'auto' ? colors.yellow('auto: every peer may write to the download directory') : 'ask: a person decides about each offer'],
  ...several('rendezvous', status.rendezvous.map((server) => rendezvous(server, colors)), 'none'),
  ...several(
    'links',
    status.links.map((link) => linkLine(link, colors, now)),
    'none',
  ),
  ['transfers', transfers(status.transfers)],
  ...(status.messages === undefined ? [] : [['messages', messages(status.messages)] as const]),
];

const several = (title: string, values: readonly string[], none: string): (readonly [string, string])[] =>
  values.length === 0 ? [[title, none]] : values.map((value, index) => [index === 0 ? title : '', value] as const);

const rendezvous = (server: StatusResponse['rendezvous'][number], colors: Colors): string => {
  const state = server.state === 'registered' ? colors.green(server.state) : server.state === 'refused' ? colors.red(server.state) : colors.yellow(server.state);
  const id = server.id === null ? '' : ` (${shortId(server.id)})`;
  return `${server.address}${id} ${state}${server.error === undefined ? '' : `: ${withoutAddress(server.error.message, server.address)}`}`;
};

/** A peer that is read slowly for less than this was in a hurry. */
const tellPacedFromMs = 5_000;

const linkLine = ({ peer, dialled, address, since, pacedMs = 0 }: StatusResponse['links'][number], colors: Colors, now: number): string => {
  const paced = pacedMs < tellPacedFromMs ? '' : colors.yellow(`, says more than it may: not read for ${formatDuration(pacedMs)} of it`);
  return `${peerWithId(peer)} ${dialled ? 'at' : 'from'} ${address}, up for ${formatDuration(now - since)}${paced}`;
};

/** The address stands in front already. */
const withoutAddress = (message: string, address: string): string => (message.startsWith(`${address}: `) ? message.slice(address.length + 2) : message);

const messages = ({ queued, strangers }: NonNullable<StatusResponse['messages']>): string =>
  `${queued} waiting to be delivered, ${strangers} of strangers${strangers === 0 ? '' : ' (see them: peerctl chat --strangers)'}`;

const transfers = ({ active, waiting, inbox }: StatusResponse['transfers']): string =>
  `${active} active, ${waiting} waiting, ${count(inbox, 'offer')} in the inbox${inbox === 0 ? '' : ' (see them: peerctl inbox)'}`;
