/** A peer of the compose project, as a person at its container uses it. */
import type { ChatMessageView, InboxResponse, PeersResponse, PeerView, TransferDetail, TransfersResponse } from '@peerd/protocol';
import type { Command } from '../../harness/process.ts';
import { Container } from './container.ts';
import { until } from './poll.ts';

const MiB = 1024 * 1024;
/** The journal may be this far behind what was received. */
const journalLag = 32 * MiB;
/** Ten seconds: a fault finds it under way on any machine. */
const underWay = { mebibytes: 320, rate: '32M' };
const outbox = '/var/lib/peerd/outbox';
const downloads = '/var/lib/peerd/downloads';

/** A file to send: where it lies and what it holds. */
export interface Sample {
  readonly path: string;
  readonly name: string;
  readonly sha256: string;
}

/** A send that was accepted and has moved some of its content. */
export interface UnderWay {
  readonly id: string;
  readonly sample: Sample;
  readonly from: ContainerPeer;
  readonly to: ContainerPeer;
  readonly send: Command;
}

export class ContainerPeer extends Container {
  id = '';

  peerctl(...args: readonly string[]): Command {
    return this.command('peerctl', '--json', ...args);
  }

  /** Runs `peerctl --json …`, which has to succeed, and returns its document. */
  async json<Document>(...args: readonly string[]): Promise<Document> {
    const { code, stdout, stderr } = await this.peerctl(...args).result;
    if (code !== 0) throw new Error(`${this.service}: peerctl ${args.join(' ')} exited with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Document;
  }

  async peers(): Promise<PeerView[]> {
    return (await this.json<PeersResponse>('peers')).peers;
  }

  /** A file of random bytes; one random block is varied per MiB, as incompressible and much faster to make. */
  async makeFile(name: string, mebibytes: number): Promise<Sample> {
    const sha256 = await this.evaluate<string>(
      `{
        const [path, count] = args, block = crypto.randomBytes(${MiB}), hash = crypto.createHash('sha256');
        fs.mkdirSync('${outbox}', { recursive: true });
        const file = fs.openSync(path, 'w');
        for (let index = 0; index < Number(count); index += 1) {
          block.writeUInt32BE(index, 0);
          fs.writeSync(file, block);
          hash.update(block);
        }
        return hash.digest('hex');
      }`,
      `${outbox}/${name}`,
      String(mebibytes),
    );
    return { path: `${outbox}/${name}`, name, sha256 };
  }

  /** Accepts the offer that has this file, as soon as it is in the inbox. Resolves with the id of the transfer. */
  async accept({ name }: Sample): Promise<string> {
    const { offers } = await until(
      `${this.service} is offered ${name}`,
      () => this.json<InboxResponse>('inbox'),
      (inbox) => inbox.offers.some((offer) => offer.names.includes(name)),
    );
    const offer = offers.find(({ names }) => names.includes(name));
    await this.json('accept', offer?.id ?? '');
    return offer?.id ?? '';
  }

  /** Sends a new file, which the receiver accepts, and returns when so much of it has arrived that the journal tells of some. */
  async sendUnderWay(to: ContainerPeer, name: string): Promise<UnderWay> {
    const sample = await this.makeFile(name, underWay.mebibytes);
    const send = this.peerctl('send', to.service, sample.path, '--limit-rate', underWay.rate);
    const id = String((await send.line(({ event }) => event === 'offered'))['id']);
    await to.json('accept', id);
    await send.line((line) => line['event'] === 'progress' && Number(line['bytesDone']) > journalLag + 16 * MiB);
    return { id, sample, from: this, to, send };
  }

  async transfer(id: string): Promise<TransferDetail> {
    return this.json<TransferDetail>('show', id);
  }

  async transfers(): Promise<TransfersResponse['transfers']> {
    return (await this.json<TransfersResponse>('transfers')).transfers;
  }

  /** What is in the download directory under names that begin so, with the hashes of files. */
  async received(prefix = ''): Promise<{ name: string; sha256: string }[]> {
    return this.evaluate(
      `(fs.existsSync('${downloads}') ? fs.readdirSync('${downloads}') : []).filter((name) => name.startsWith(args[0])).sort().map((name) => {
        const hash = crypto.createHash('sha256'), buffer = Buffer.alloc(${MiB}), path = '${downloads}/' + name;
        if (!fs.statSync(path).isFile()) return { name, sha256: '' };
        const file = fs.openSync(path, 'r');
        for (let read; (read = fs.readSync(file, buffer)) > 0; ) hash.update(buffer.subarray(0, read));
        return { name, sha256: hash.digest('hex') };
      })`,
      prefix,
    );
  }

  /** Makes room: what was sent or received under this name. */
  async removeFiles(name: string): Promise<void> {
    await this.evaluate(`['${outbox}/', '${downloads}/'].forEach((directory) => fs.rmSync(directory + args[0], { force: true }))`, name);
  }

  /** Texts that came from a peer. */
  async messagesFrom(peer: ContainerPeer): Promise<string[]> {
    const messages = await this.evaluate<ChatMessageView[]>(
      `new Promise((resolve, reject) => http.get({ socketPath: process.env.PEERD_CONTROL, path: '/v1/messages?peer=' + args[0] }, async (response) => {
        let text = '';
        for await (const part of response) text += part;
        response.statusCode === 200 ? resolve(JSON.parse(text).messages) : reject(new Error(text));
      }).on('error', reject))`,
      peer.id,
    );
    return messages.filter(({ direction }) => direction === 'received').map(({ text }) => text);
  }
}
