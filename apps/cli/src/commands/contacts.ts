import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { shortId } from '../ui/ids.ts';
import { colorPresence, colorTrust } from '../ui/labels.ts';
import { policyCell } from '../ui/policy-view.ts';
import { formatAgo, formatDate } from '../ui/times.ts';
import { examples } from './usage.ts';

export const addContacts = (program: Command, run: Run): void => {
  program
    .command('contacts')
    .summary('list the peers whose keys are pinned')
    .description('Lists the contacts: peers whose keys this peerd has pinned because you sent to them, connected to them, wrote to them, trusted them or accepted something of theirs.')
    .addHelpText('after', examples(['peerctl contacts', 'a table'], ["peerctl contacts --json | jq -r '.contacts[].id'", 'their ids']))
    .action(
      run(async ({ client, output, signal }) => {
        const answer = await client.contacts(signal);
        if (output.json) return output.document(answer);
        const { contacts } = answer;
        if (contacts.length === 0) return output.line('no contacts yet: connect, send, chat and trust make a peer a contact');
        const { table } = await import('../ui/table.ts');
        const { colors } = output;
        const now = Date.now();
        const rows = contacts.map((contact) => [
          contact.name,
          contact.state,
          contact.trust,
          policyCell(contact.policy),
          shortId(contact.id),
          contact.state === 'linked' ? 'now' : contact.lastSeen === null ? 'never' : formatAgo(contact.lastSeen, now),
          formatDate(contact.since),
          contact.addresses[0] ?? '-',
        ]);
        const policyColor = (text: string, row: number): string => (contacts[row]?.policy.kind === 'block' ? colors.red(text) : text);
        const columns = [
          { title: 'NAME', min: 8 },
          { title: 'STATE', style: (text: string, row: number) => colorPresence(contacts[row]?.state ?? 'offline', colors)(text) },
          { title: 'TRUST', drop: 4, style: (text: string, row: number) => colorTrust(contacts[row]?.trust ?? 'pinned', colors)(text) },
          { title: 'POLICY', drop: 5, style: policyColor },
          { title: 'ID' },
          { title: 'LAST SEEN', drop: 3 },
          { title: 'PINNED', drop: 1 },
          { title: 'ADDRESS', drop: 2 },
        ];
        for (const line of table(columns, rows, output.columns(), colors)) output.line(line);
        for (const { name, policy } of contacts) if (policy.why !== undefined) output.line(`${colors.yellow('not auto any more:')} ${name}: ${policy.why}`);
      }),
    );
};
