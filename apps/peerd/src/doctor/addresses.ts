/** Where other peers connect: does it answer, and is it what others can reach? */
import { BlockList, isIPv6 } from 'node:net';
import { type Address, type DoctorCheck, formatAddress, PeerdError } from '@peerd/protocol';
import { addressScope } from '../net/address-scope.ts';
import { fail, ok, warn } from './check.ts';

export interface ListeningFacts {
  /** As bound. */
  readonly bound: { readonly host: string; readonly port: number };
  /** The port that was wanted, where another one had to be taken. */
  readonly wantedPort?: number;
  /** Every address under which this machine would be dialled, near ones too. */
  readonly own: readonly Address[];
  /** What rendezvous were told. */
  readonly announced: readonly Address[];
  /** Where rendezvous are reached. */
  readonly rendezvousHosts: readonly string[];
  /** Resolves when a peer with our key answers there. */
  readonly reach: (address: Address, signal: AbortSignal) => Promise<void>;
}

const reachMs = 3_000;

const privateNetworks = new BlockList();
for (const [network, prefix] of [['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10]] as const) privateNetworks.addSubnet(network, prefix, 'ipv4');
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
const isPrivate = (host: string): boolean => privateNetworks.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');

export const checkAddresses = async (facts: ListeningFacts): Promise<DoctorCheck[]> => [await checkListening(facts), ...checkPort(facts), checkCandidates(facts)];

const checkListening = async ({ bound, own, reach }: ListeningFacts): Promise<DoctorCheck> => {
  const where = formatAddress(bound);
  const tried = await Promise.all(
    own.map(async (address) => {
      try {
        await reach(address, AbortSignal.timeout(reachMs));
        return { address, wrong: undefined };
      } catch (error) {
        return { address, wrong: error instanceof PeerdError && error.code === 'wrong_key' ? 'another program answers there' : 'it cannot be reached from this machine' };
      }
    }),
  );
  const bad = tried.filter(({ wrong }) => wrong !== undefined);
  const told = bad.map(({ address, wrong }) => `${formatAddress(address)} (${wrong ?? ''})`).join(', ');
  if (own.length === 0) return fail('listening', `${where}: this machine has no address for it`, 'Is a network up? `ip address` shows the addresses.');
  if (bad.length === own.length) return fail('listening', `peerd listens on ${where}, but nobody gets there: ${told}`, 'A firewall of this machine may drop the port: let TCP through to it.');
  if (bad.length > 0) return warn('listening', `peerd listens on ${where}, but not everywhere: ${told}`, 'A firewall of this machine may drop the port on that address, or another program has it there.');
  return ok('listening', `peerd answers on ${own.map((address) => formatAddress(address)).join(', ')}`);
};

const checkPort = ({ bound, wantedPort }: ListeningFacts): DoctorCheck[] =>
  wantedPort === undefined || wantedPort === bound.port
    ? []
    : [warn('port', `port ${wantedPort} was in use, so peerd listens on ${bound.port} until it is started again`, `Stop the other program, or choose a port with --listen, so that contacts and firewalls find peerd. ss -ltnp 'sport = :${wantedPort}' names it.`)];

const checkCandidates = ({ own, announced, rendezvousHosts }: ListeningFacts): DoctorCheck => {
  const scopes = own.map(({ host }) => addressScope(host));
  const remote = rendezvousHosts.filter((host) => addressScope(host) === 'routable');
  const routable = own.filter(({ host }) => addressScope(host) === 'routable');
  const shown = announced.length === 0 ? 'no address was announced' : `announced: ${announced.map((address) => formatAddress(address)).join(', ')}`;
  if (scopes.every((scope) => scope === 'loopback') && remote.length > 0)
    return warn('candidates', `only loopback addresses, and the rendezvous is on another machine; ${shown}`, 'Peers elsewhere cannot dial this one. Start peerd without --listen, or with an address of the network: --listen 0.0.0.0:12001.');
  if (routable.length === 0) return ok('candidates', `only peers of this machine can dial this one; ${shown}`);
  if (routable.every(({ host }) => isPrivate(host)) && remote.some((host) => !isPrivate(host)))
    return warn('candidates', `only addresses of a private network; ${shown}`, 'Peers outside of it reach this one only if the router forwards the port, or when this side dials them. Forward TCP to it, or be the side that connects.');
  return ok('candidates', shown);
};
