import { existsSync, lstatSync } from 'node:fs';
import type { SocketSurroundings } from './socket-path.ts';

export const machineSurroundings = (): SocketSurroundings => ({
  env: process.env,
  uid: process.getuid?.() ?? 0,
  exists: existsSync,
  isPrivateDirectory: (path, uid) => {
    try {
      const stat = lstatSync(path);
      return stat.isDirectory() && stat.uid === uid && (stat.mode & 0o022) === 0;
    } catch {
      return false;
    }
  },
});
