/** Which addresses we tell others to dial. */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { type Address, maxAddresses } from '@peerd/protocol';
import { addressScope } from '../net/address-scope.ts';
import { interleaveFamilies } from '../net/interleave.ts';

const wildcards: readonly string[] = ['0.0.0.0', '::'];

/**
 * An explicit listen address is the sole candidate, loopback too. A wildcard means all interfaces: routable addresses first,
 * then, for those who are as near as the rendezvous, link-local and loopback ones.
 *
 * @param bound address and port of the listener
 * @param local the rendezvous was reached over loopback or link-local; others have no use for such addresses
 */
export const localAddresses = (
  bound: { readonly host: string; readonly port: number },
  local: boolean,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): Address[] => {
  if (!wildcards.includes(bound.host)) return [{ host: bound.host, port: bound.port, kind: 'host' }];
  const hosts = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    // `::` takes IPv4 connections too, `0.0.0.0` takes no IPv6 ones.
    .filter(({ family }) => bound.host === '::' || family === 'IPv4')
    .map(({ address, family }) => ({ host: address, family }));
  const of = (scope: string): { host: string }[] => hosts.filter(({ host }) => addressScope(host) === scope);
  // IPv6 link-local addresses mean nothing without the other machine's zone (RFC 4007 §6).
  const near = local ? [...of('link-local').filter(({ host }) => !host.includes(':')), ...of('loopback')] : [];
  const all = [...interleaveFamilies(of('routable')), ...near].map(({ host }) => host);
  return [...new Set(all)].slice(0, maxAddresses).map((host) => ({ host, port: bound.port, kind: 'host' }));
};
