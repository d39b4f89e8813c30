/** As much as the other side takes. */
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ScriptedConnection } from '../../harness/scripted-connection.ts';

/** Writes frames until the signal aborts or the connection ends. @returns how many */
export const flood = async (connection: Pick<ScriptedConnection<never>, 'channel' | 'write'>, frame: () => Uint8Array, signal: AbortSignal): Promise<number> => {
  const { channel } = connection;
  const over = AbortSignal.any([signal, channel.signal]);
  const aborted = over.aborted ? Promise.resolve() : once(over, 'abort');
  let count = 0;
  while (!over.aborted) {
    connection.write(frame());
    count += 1;
    // The reason of its end is told by who reads it.
    await Promise.race([channel.drained().catch(() => {}), aborted]);
  }
  return count;
};

const batch = 100;
/** Less than a handshake may take: who waits longer is not dropped for the number. */
const patienceMs = 8_000;

/**
 * TCP connections from an address that nobody else here has, opened until there were enough or the signal aborts.
 * @param kept so many may be left over @param open says or does something on each @returns `dropped`, or how many too many there are
 */
export const connections = async (to: { host: string; port: number }, most: number, kept: number, signal: AbortSignal, open: (socket: Socket) => void = () => {}): Promise<string> => {
  const sockets: Socket[] = [];
  const left = new EventEmitter();
  let dropped = 0;
  const connected = async (): Promise<void> => {
    const socket = connect({ ...to, localAddress: '127.0.0.2' });
    sockets.push(socket);
    const settled = new Promise<void>((resolve) => socket.once('connect', () => resolve()).once('close', () => resolve()));
    socket.on('error', () => {}).on('close', () => {
      dropped += 1;
      left.emit('one');
    }).resume();
    await settled;
    open(socket);
  };
  try {
    while (!signal.aborted && sockets.length < most) await Promise.all(Array.from({ length: batch }, connected));
    if (!signal.aborted) await once(signal, 'abort');
    const patience = AbortSignal.timeout(patienceMs);
    while (sockets.length - dropped > kept && !patience.aborted) await once(left, 'one', { signal: patience }).catch(() => {});
    return sockets.length - dropped <= kept ? 'dropped' : `${sockets.length - dropped} of ${sockets.length} are still there`;
  } finally {
    for (const socket of sockets) socket.destroy();
  }
};
