/** What kind of network an address belongs to (RFC 6890), so that nobody turns us into a port scanner of our own machine. */
import { BlockList, isIP } from 'node:net';

const listOf = (...subnets: readonly [address: string, prefix: number][]): BlockList => {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
};

const loopback = listOf(['127.0.0.0', 8], ['::1', 128]);
const linkLocal = listOf(['169.254.0.0', 16], ['fe80::', 10]);
/** Unspecified, multicast, broadcast, reserved: nobody can be reached there, or it is ourselves by another name. */
const unusable = listOf(['0.0.0.0', 8], ['224.0.0.0', 4], ['240.0.0.0', 4], ['::', 128], ['ff00::', 8]);

/** `name`: not an IP literal. IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) counts as the IPv4 address that it is. */
export type AddressScope = 'loopback' | 'link-local' | 'routable' | 'unusable' | 'name';

export const addressScope = (host: string): AddressScope => {
  const bare = host.replace(/%.*$/, '');
  // Of the whole: a zone is the name of an interface, not any text (RFC 4007 §11.2).
  const version = isIP(host) && isIP(bare);
  if (version === 0) return 'name';
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (loopback.check(bare, family)) return 'loopback';
  if (linkLocal.check(bare, family)) return 'link-local';
  return unusable.check(bare, family) ? 'unusable' : 'routable';
};

/** Reached without a router: the other side is this machine or this link. */
export const isLocalScope = (host: string): boolean => ['loopback', 'link-local'].includes(addressScope(host));

/**
 * May an address that another machine told us be dialled? Names are not: they could point anywhere.
 *
 * @param local the one who told it was reached over loopback or link-local itself
 */
export const mayDial = (host: string, local: boolean): boolean => {
  const scope = addressScope(host);
  return scope === 'routable' || (local && (scope === 'loopback' || scope === 'link-local'));
};
