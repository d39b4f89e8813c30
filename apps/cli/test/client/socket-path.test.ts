import { PeerdError } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { socketPath, type SocketSurroundings } from '../../src/client/socket-path.ts';

const machine = (more: { env?: Record<string, string>; existing?: string[]; mine?: string[] } = {}): SocketSurroundings => ({
  env: more.env ?? {},
  uid: 1000,
  exists: (path) => more.existing?.includes(path) ?? false,
  isPrivateDirectory: (path, uid) => uid === 1000 && (more.mine?.includes(path) ?? false),
});

const env = { XDG_RUNTIME_DIR: '/run/user/1000' };
const user = '/run/user/1000/peerd/peerd.sock';
const service = '/run/peerd/peerd.sock';
const fallback = '/tmp/peerd-1000/peerd.sock';

describe('named', () => {
  test('--socket comes before everything', () => {
    expect(socketPath('/a.sock', machine({ env: { ...env, PEERCTL_SOCKET: '/b.sock' }, existing: [user] }))).toBe('/a.sock');
  });

  test('PEERCTL_SOCKET before PEERD_CONTROL; an empty one counts as absent', () => {
    expect(socketPath(undefined, machine({ env: { PEERCTL_SOCKET: '/b.sock', PEERD_CONTROL: '/c.sock' } }))).toBe('/b.sock');
    expect(socketPath(undefined, machine({ env: { PEERCTL_SOCKET: '', PEERD_CONTROL: '/c.sock' } }))).toBe('/c.sock');
  });

  test('a path that no socket can have is an error that says so', () => {
    expect(socketPath('x'.repeat(107), machine())).toHaveLength(107);
    expect(() => socketPath('x'.repeat(108), machine())).toThrow(PeerdError);
    expect(() => socketPath('é'.repeat(54), machine())).toThrow(/108 bytes/);
    expect(() => socketPath('', machine())).toThrow(/is empty/);
  });
});

describe('found', () => {
  test('the one of the user, if it is there', () => {
    expect(socketPath(undefined, machine({ env, existing: [user, service, fallback], mine: ['/tmp/peerd-1000'] }))).toBe(user);
  });

  test('the one of the service, if the user has none', () => {
    expect(socketPath(undefined, machine({ env, existing: [service, fallback], mine: ['/tmp/peerd-1000'] }))).toBe(service);
  });

  test('the one in /tmp only if its directory is private', () => {
    expect(socketPath(undefined, machine({ env, existing: [fallback], mine: ['/tmp/peerd-1000'] }))).toBe(fallback);
    expect(socketPath(undefined, machine({ env, existing: [fallback] }))).toBe(user);
  });

  test('none: the place where peerd would put it', () => {
    expect(socketPath(undefined, machine({ env }))).toBe(user);
    expect(socketPath(undefined, machine())).toBe(fallback);
  });
});
