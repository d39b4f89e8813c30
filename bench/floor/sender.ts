/** The floor's sending end: 1 MiB reads, two ahead of a TLS 1.3 socket, from a pool of buffers. */
import { open } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { floorTls, type FloorKeys, type SenderSays, type SendOrder, tell } from './orders.ts';

const readBytes = 1024 * 1024;
const buffers = 4;

let keys: FloorKeys | undefined;

/** Buffers that nobody reads into or writes from. */
class Pool {
  readonly #free: Buffer[] = Array.from({ length: buffers }, () => Buffer.allocUnsafeSlow(readBytes));
  #waiting: ((buffer: Buffer) => void) | undefined;

  async take(): Promise<Buffer> {
    const buffer = this.#free.pop();
    if (buffer) return buffer;
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#waiting = resolve;
    return promise;
  }

  give(buffer: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(buffer);
    else this.#free.push(buffer);
  }
}

const sendFile = async (socket: TLSSocket, path: string): Promise<number> => {
  const pool = new Pool();
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const readAt = async (position: number): Promise<{ buffer: Buffer; bytesRead: number }> => {
    const buffer = await pool.take();
    const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, size - position), position);
    return { buffer, bytesRead };
  };
  let next = readAt(0);
  for (let position = 0; position < size; ) {
    const { buffer, bytesRead } = await next;
    position += bytesRead;
    if (position < size) next = readAt(position);
    socket.write(buffer.subarray(0, bytesRead), () => pool.give(buffer));
  }
  return size;
};

process.on('message', (message: FloorKeys | SendOrder) => {
  if ('key' in message) {
    keys = message;
    return tell<SenderSays>({ ready: true });
  }
  const run = async (): Promise<void> => {
    if (!keys) throw new Error('no keys');
    const socket = connect({ ...floorTls(keys), host: '127.0.0.1', port: message.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const bytes = await sendFile(socket, message.path);
    const closed = once(socket, 'close');
    socket.end();
    socket.resume();
    await closed;
    tell<SenderSays>({ sent: bytes });
  };
  run().catch((error: unknown) => tell<SenderSays>({ failure: String(error) }));
});
