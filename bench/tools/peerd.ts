/** Ours as a tool among tools: encrypted, verified, journalled, with a receipt. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Durability, PeerPair } from './peer-pair.ts';
import type { Tool } from './tool.ts';

const ours = (name: string, durability: Durability): Tool => ({
  name,
  needs: [],
  handles: ['file', 'tree'],
  replaces: true,
  async open({ directory, signal }) {
    const world = join(directory, 'world');
    await mkdir(world);
    const pair = await PeerPair.open(world, durability, signal);
    return {
      destination: pair.destination,
      copy: ({ source, existing, signal: stop }) => pair.send(source, stop, existing ? ['--conflict', 'overwrite'] : []),
      [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
    };
  },
});

/** Leaves flushing to the kernel, as every tool here does. */
export const peerd: Tool = ours('peerd', 'none');
/** The default: the receipt says that everything is on stable storage. */
export const peerdDurable: Tool = ours('peerd durable', 'transfer');
