import { PeerdError } from '@peerd/protocol';
import type { Links } from '../peer/ports.ts';
export const noLinks: Links = { get: () => undefined, all: () => [], connect: () => Promise.reject(new PeerdError('peer_unreachable', 'no')), disconnect: async () => false, need: () => {}, release: () => {} };
