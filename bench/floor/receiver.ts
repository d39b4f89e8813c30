/**
 * The floor's receiving end: what arrives over TLS 1.3 is written with `writev` in libuv's pool, about 1 MiB at a time.
 * Nothing is hashed, journalled or flushed. Its parent tells it what to do, one file at a time.
 */
import { close, ftruncate, open, writev } from 'node:fs';
import { createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { floorTls, type FloorKeys, type ReceiveOrder, type ReceiverSays, tell } from './orders.ts';

const writeBytes = 1024 * 1024;
const pauseBytes = 16 * 1024 * 1024;
const openFile = promisify(open);

let order: { path: string; fd: number } | undefined;

const receive = (socket: TLSSocket, fd: number): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let pieces: Buffer[] = [];
  let gathered = 0;
  let position = 0;
  let writing = 0;
  let ended = false;
  const flush = (): void => {
    const bytes = gathered;
    const at = position;
    position += bytes;
    writing += bytes;
    writev(fd, pieces, at, (error, written) => {
      if (error || written !== bytes) return reject(error ?? new Error('a write was cut short'));
      writing -= bytes;
      if (writing < pauseBytes) socket.resume();
      if (ended && writing === 0) resolve(position);
    });
    pieces = [];
    gathered = 0;
  };
  socket.on('data', (bytes: Buffer) => {
    pieces.push(bytes);
    gathered += bytes.byteLength;
    if (gathered >= writeBytes) flush();
    if (writing >= pauseBytes) socket.pause();
  });
  socket.on('end', () => {
    ended = true;
    if (gathered > 0) flush();
    else if (writing === 0) resolve(position);
  });
  socket.on('error', reject);
  return promise;
};

const serve = (keys: FloorKeys): void => {
  const server = createServer(floorTls(keys), (socket) => {
    const { fd } = order ?? {};
    if (fd === undefined) return void socket.destroy();
    receive(socket, fd)
      .then(async (bytes) => {
        await promisify(ftruncate)(fd, bytes);
        await promisify(close)(fd);
        order = undefined;
        socket.end();
        tell<ReceiverSays>({ received: bytes });
      })
      .catch((error: unknown) => tell<ReceiverSays>({ failure: String(error) }));
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address !== 'string') tell<ReceiverSays>({ port: address.port });
  });
};

process.on('message', (message: FloorKeys | ReceiveOrder) => {
  if ('key' in message) return serve(message);
  openFile(message.path, message.existing ? 'r+' : 'wx')
    .then((fd) => {
      order = { path: message.path, fd };
      tell<ReceiverSays>({ ready: message.path });
    })
    .catch((error: unknown) => tell<ReceiverSays>({ failure: String(error) }));
});
