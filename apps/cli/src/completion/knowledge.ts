/** What peerd knows, as candidates. Whoever waits for a completion does not wait long, and reads no errors. */
import type { PeerView, TransferSummary } from '@peerd/protocol';
import type { Client } from '../client/client.ts';
import type { Candidate, Knowledge } from './complete.ts';

const answerMs = 1_500;
const shortIdLength = 8;
const finalStates: ReadonlySet<string> = new Set(['done', 'rejected', 'cancelled', 'failed']);

export const knowledgeOf = (client: Client): Knowledge => ({
  peers: (command) => quietly(async (signal) => peerCandidates((await client.peers(signal)).peers.filter(({ state }) => command !== 'disconnect' || state === 'linked'))),
  ids: (command) =>
    quietly(async (signal) => {
      if (command === 'accept' || command === 'reject') {
        const { offers, introductions } = await client.inbox(signal);
        return [
          ...offers.map(({ id, from, names }) => ({ value: id, description: `${from.name}: ${names.slice(0, 3).join(', ')}` })),
          ...introductions.map(({ id, from }) => ({ value: id, description: `${from.name} asks to be introduced` })),
        ];
      }
      const { transfers } = await client.transfers(signal);
      return transfers.filter(fitting(command)).toReversed().map((transfer) => ({ value: transfer.id, description: describe(transfer) }));
    }),
});

const fitting = (command: string): ((transfer: TransferSummary) => boolean) => {
  if (command === 'resume') return ({ state }) => state === 'paused';
  if (command === 'pause') return ({ state }) => !finalStates.has(state) && state !== 'paused';
  return command === 'cancel' ? ({ state }) => !finalStates.has(state) : () => true;
};

const describe = ({ direction, peer, state, note }: TransferSummary): string => `${direction === 'send' ? 'to' : 'from'} ${peer.name}, ${state}${note === undefined ? '' : `: ${note}`}`;

/** A name that is not alone, or that was escaped, names nobody: the beginning of the id does. */
export const peerCandidates = (peers: readonly Pick<PeerView, 'id' | 'name' | 'state' | 'trust'>[]): Candidate[] => {
  const bearers = Map.groupBy(peers, ({ name }) => name);
  return peers.map(({ id, name, state, trust }) => {
    const short = id.slice(0, shortIdLength);
    const plain = name !== '' && !/[\\,~]/.test(name) && !name.startsWith('-');
    const value = !plain ? short : (bearers.get(name)?.length ?? 0) > 1 ? `${name}~${short}` : name;
    return { value, description: `${plain ? '' : `${name}, `}${state}, ${trust}` };
  });
};

const quietly = async (ask: (signal: AbortSignal) => Promise<readonly Candidate[]>): Promise<readonly Candidate[]> => {
  try {
    return await ask(AbortSignal.timeout(answerMs));
  } catch {
    return [];
  }
};
