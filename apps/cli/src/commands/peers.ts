import type { PeersResponse } from '@peerd/protocol';
import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { shortId } from '../ui/ids.ts';
import { colorPresence, colorTrust } from '../ui/labels.ts';
import type { Colors } from '../ui/output.ts';
import { examples } from './usage.ts';

export const addPeers = (program: Command, run: Run): void => {
  program
    .command('peers')
    .summary('list the peers of the room and the contacts')
    .description('Lists the peers of the room as the rendezvous tells them, live, and the contacts and peers with a policy that are away (offline).')
    .option('--watch', 'go on and show every change; with --json one document per change')
    .addHelpText(
      'after',
      examples(['peerctl peers', 'a table'], ['peerctl peers --watch', 'a live table, until Ctrl-C'], ["peerctl peers --json | jq -r '.peers[] | select(.state != \"offline\") | .name'", 'who is here']),
    )
    .action(
      run(async (context, { watch = false }: { watch?: boolean }) => {
        const { client, output, signal } = context;
        const { table } = await import('../ui/table.ts');
        const view = (document: PeersResponse, columns: number | undefined): string[] => peersTable(table, document, columns, output.colors);
        if (watch) {
          const { watchDocument } = await import('../watch/watch.ts');
          return await watchDocument(context, {
            load: () => client.peers(signal),
            reduce: (_, event) => (event.kind === 'peers' || event.kind === 'link' ? 'reload' : 'same'),
            view,
          });
        }
        const document = await client.peers(signal);
        if (output.json) return output.document(document);
        for (const line of view(document, output.columns())) output.line(line);
      }),
    );
};

const peersTable = (table: typeof import('../ui/table.ts').table, { peers }: PeersResponse, screen: number | undefined, colors: Colors): string[] => {
  if (peers.length === 0) return ['no other peer is here and there are no contacts: `peerctl status` shows whether the rendezvous is reached'];
  const columns = [
    { title: 'NAME', min: 8 },
    { title: 'STATE', style: (text: string, row: number) => colorPresence(peers[row]?.state ?? 'offline', colors)(text) },
    { title: 'TRUST', style: (text: string, row: number) => colorTrust(peers[row]?.trust ?? 'new', colors)(text) },
    { title: 'ID' },
    { title: 'ROOM', min: 5, drop: 2 },
    { title: 'ADDRESS', drop: 1 },
  ];
  const rows = peers.map((peer) => [peer.name, peer.state, peer.trust, shortId(peer.id), peer.room, peer.addresses[0] ?? '-']);
  return table(columns, rows, screen, colors);
};
