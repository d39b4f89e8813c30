/** Both ends of a transfer in one process, joined by a frame decoder instead of a connection. */
import { join } from 'node:path';
import { dataBounds, FrameDecoder } from '@peerd/protocol';
import {
  type DataSink, type EntryFailureCode, HaveSet, Manifest, ManifestWriter, type PlaceOptions, type PlacementLog, type PlaceResult, Receiver, scanSources, type ScanResult,
  sendContent, StageClock,
} from '../../src/index.ts';

export const chunkSize = 64 * 1024;

const signal = new AbortController().signal;

export interface Offered {
  readonly scan: ScanResult;
  readonly sender: Manifest;
  readonly receiver: Manifest;
}

/** Scan, and the pages over to the receiver's own manifest file. Caller closes both. */
export const offer = async (state: string, paths: readonly (string | Buffer)[], size: number = chunkSize): Promise<Offered> => {
  const manifestPath = join(state, 'sender.manifest');
  const scan = await scanSources({ paths: paths.map((path) => Buffer.from(path)), manifestPath, chunkSize: size, signal });
  const sender = await Manifest.open(manifestPath, size);
  const writer = await ManifestWriter.open({ path: join(state, 'receiver.manifest'), chunkSize: size, announced: scan });
  for (let page = 0; page < scan.pages; page += 1) await writer.append(page, await sender.page(page));
  await writer.finish();
  return { scan, sender, receiver: await Manifest.open(join(state, 'receiver.manifest'), size) };
};

/** A placement log as peerd keeps it, in memory. */
export class MemoryLog implements PlacementLog {
  readonly records = new Map<number, { name: Buffer; inode: bigint; done: boolean }>();
  /** Called before each change; throws to play a crash. */
  before: (step: string) => void = () => undefined;

  async intended(entry: number): Promise<{ name: Buffer; inode: bigint; done: boolean } | undefined> {
    return this.records.get(entry);
  }

  async intend(entry: number, name: Buffer, inode: bigint): Promise<void> {
    this.before(`intend ${entry}`);
    this.records.set(entry, { name: Buffer.from(name), inode, done: false });
    this.before(`intended ${entry}`);
  }

  async placed(entry: number): Promise<void> {
    this.before(`placed ${entry}`);
    const record = this.records.get(entry);
    if (record !== undefined) record.done = true;
    this.before(`was placed ${entry}`);
  }
}

export interface FlowOptions {
  readonly state: string;
  readonly offered: Offered;
  readonly receiver: Receiver;
  /** Sizes in which bytes reach the decoder, again and again. */
  readonly split?: readonly number[];
  /** The connection breaks after so many bytes. */
  readonly breakAfter?: number;
  readonly alreadyFailed?: ReadonlySet<number>;
  readonly onSend?: (frames: number) => Promise<void> | void;
}

export interface FlowResult {
  readonly contentRoot: Buffer;
  readonly sent: number;
  readonly failures: Map<number, { code: EntryFailureCode; message: string }>;
}

export class Broken extends Error {}

/** One link: verify, have, content. @throws Broken */
export const flow = async (options: FlowOptions): Promise<FlowResult> => {
  const { offered, receiver, state } = options;
  await receiver.verify(signal);
  const have = new HaveSet(offered.scan.chunks);
  for (const { start, hashes } of receiver.have()) have.add(start, hashes);
  const decoder = new FrameDecoder(dataBounds);
  const sizes = options.split ?? [64 * 1024];
  let left = options.breakAfter ?? Number.POSITIVE_INFINITY;
  let piece = 0;
  let frames = 0;
  const sink: DataSink = {
    write: async (buffers, release) => {
      frames += 1;
      await options.onSend?.(frames);
      const bytes = Buffer.concat(buffers);
      release?.();
      for (let at = 0; at < bytes.length; ) {
        const size = Math.min(sizes[piece++ % sizes.length] ?? 1, left);
        for (const frame of decoder.push(Buffer.from(bytes.subarray(at, at + size)))) await receiver.frame(frame);
        at += size;
        left -= size;
        if (left <= 0) throw new Broken();
      }
    },
  };
  const failures: FlowResult['failures'] = new Map();
  let sent = 0;
  const { contentRoot } = await sendContent({
    manifest: offered.sender,
    roots: offered.scan.roots,
    journalPath: join(state, 'sender.journal'),
    have,
    holes: true,
    alreadyFailed: options.alreadyFailed ?? new Set(),
    sink,
    onEntryFailed: (entry, code, message) => {
      failures.set(entry, { code, message });
      receiver.entryFailed(entry, code, message);
    },
    onChunksSent: (count) => {
      sent += count;
    },
    stages: new StageClock(),
    signal,
  });
  return { contentRoot, sent, failures };
};

export const openReceiver = (state: string, destination: string, offered: Offered): Promise<Receiver> =>
  Receiver.open({ manifest: offered.receiver, destination, stagingName: 'test', journalPath: join(state, 'receiver.journal'), stages: new StageClock() });

export const place = (receiver: Receiver, options: Partial<PlaceOptions> = {}): Promise<PlaceResult> =>
  receiver.place({ conflict: 'rename', durability: 'none', log: new MemoryLog(), signal, ...options });

/** Everything from scan to placed. */
export const transfer = async (state: string, paths: readonly (string | Buffer)[], destination: string, options: Partial<PlaceOptions & { split: readonly number[] }> = {}) => {
  const offered = await offer(state, paths);
  const receiver = await openReceiver(state, destination, offered);
  try {
    const sent = await flow({ state, offered, receiver, ...(options.split === undefined ? {} : { split: options.split }) });
    await receiver.complete(sent.contentRoot);
    return { offered, sent, counters: receiver.counters, result: await place(receiver, options) };
  } finally {
    await receiver.close();
    await offered.sender.close();
    await offered.receiver.close();
  }
};
