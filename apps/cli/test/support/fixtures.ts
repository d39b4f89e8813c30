import type { ChunkCounters, ContactView, InboxOffer, PeerReference, PeerView, StatusResponse, TransferDetail, TransferSummary } from '@peerd/protocol';

const id = (letter: string): string => letter.repeat(52);

export const alice: PeerReference = { id: id('a'), name: 'alice' };
export const bob: PeerReference = { id: id('b'), name: 'bob' };
export const carol: PeerReference = { id: id('c'), name: 'carol' };

export const firstId = '01kagtm5000000000000000001';
export const secondId = '01kagtm5000000000000000002';

export const status: StatusResponse = {
  version: '1.2.3',
  id: alice.id,
  name: 'alice',
  room: 'lobby',
  listen: ['127.0.0.1:12001'],
  metrics: '127.0.0.1:12081',
  rendezvous: [
    { address: '127.0.0.1:12000', id: id('r'), state: 'registered' },
    { address: '192.0.2.1:12000', id: null, state: 'refused', error: { code: 'rendezvous_full', message: 'the rendezvous is full' } },
    { address: '192.0.2.2:12000', id: null, state: 'connecting', error: { code: 'rendezvous_unreachable', message: '192.0.2.2:12000: timed out' } },
  ],
  links: [{ peer: bob, since: 1_763_800_000_000, address: '127.0.0.1:40000', dialled: true }],
  transfers: { active: 1, waiting: 2, inbox: 1 },
  downloadDir: '/home/alice/Downloads',
  accept: 'ask',
};

export const peer = (reference: PeerReference, more: Partial<PeerView> = {}): PeerView => ({
  ...reference,
  room: 'lobby',
  state: 'online',
  addresses: ['127.0.0.1:40000'],
  trust: 'new',
  policy: { kind: 'ask', own: false },
  ...more,
});

export const contact = (reference: PeerReference, more: Partial<ContactView> = {}): ContactView => ({
  ...reference,
  trust: 'pinned',
  addresses: ['127.0.0.1:40000'],
  state: 'online',
  since: 1_763_800_000_000,
  lastSeen: null,
  policy: { kind: 'ask', own: false },
  ...more,
});

export const transfer = (more: Partial<TransferSummary> = {}): TransferSummary => ({
  id: firstId,
  direction: 'send',
  peer: bob,
  state: 'queued',
  entries: 2,
  bytes: 4_000_000,
  bytesDone: 0,
  createdAt: 1_763_800_000_000,
  updatedAt: 1_763_800_000_000,
  ...more,
});

export const chunks: ChunkCounters = { sent: 1, received: 1, reused: 0, rewritten: 0, chunkSize: 1_048_576 };

export const detail = (more: Partial<TransferDetail> = {}): TransferDetail => ({
  ...transfer(),
  files: [
    { path: 'photos', type: 'directory', bytes: 0, state: 'waiting' },
    { path: 'photos/a.jpg', type: 'file', bytes: 4_000_000, state: 'waiting' },
  ],
  filesTotal: 2,
  filesOffset: 0,
  stages: { read: 0, hash: 0, socket: 0, write: 0, limit: 0, compress: 0, paused: 0, waiting: 0 },
  chunks,
  traffic: { wireBytes: 0, compressed: 0, savedBytes: 0, tried: 0 },
  savedAs: [],
  receipt: null,
  ...more,
});

export const offer = (more: Partial<InboxOffer> = {}): InboxOffer => ({
  id: firstId,
  from: bob,
  trust: 'new',
  entries: 2,
  bytes: 4_000_000,
  conflicts: 0,
  conflict: 'rename',
  diff: { new: 2, same: 0, conflict: 0, risky: 0, counted: true },
  risks: [],
  space: { needed: 4_000_000, free: 20_000_000_000, fits: true },
  names: ['photos'],
  receivedAt: Date.now(),
  ...more,
});
