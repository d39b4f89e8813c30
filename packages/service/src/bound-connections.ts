/** Bounds the connections of a server that anybody may reach: over the limit the oldest one goes, so a newcomer always gets in. */
import type { Server, Socket } from 'node:net';

/** @param onDropped one had to go */
export const boundConnections = (server: Server, max: number, onDropped: () => void): void => {
  // Insertion order is age.
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    const [oldest] = open;
    if (oldest && open.size >= max) {
      oldest.destroy();
      onDropped();
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
};
