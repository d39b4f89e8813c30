import { isIPv6 } from 'node:net';

/** RFC 8305 §4: the families take turns, so that one that leads nowhere costs little. The family of the first stays first. */
export const interleaveFamilies = <A extends { readonly host: string }>(addresses: readonly A[]): A[] => {
  const [first] = addresses;
  if (!first) return [];
  const same = addresses.filter(({ host }) => isIPv6(host) === isIPv6(first.host));
  const others = addresses.filter(({ host }) => isIPv6(host) !== isIPv6(first.host));
  const turns: A[] = [];
  for (let index = 0; index < Math.max(same.length, others.length); index += 1) {
    for (const address of [same[index], others[index]]) if (address) turns.push(address);
  }
  return turns;
};
