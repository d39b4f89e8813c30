import { describe, expect, test } from 'vitest';
import { defaultStateDir, hostPortSchema, nameSettingSchema, parseHostPort, pathSettingSchema, rendezvousSettingSchema, roomSettingSchema } from '../../src/index.ts';

const id = 'a'.repeat(52);

describe('shapes of settings', () => {
  test('HOST:PORT', () => {
    expect(parseHostPort('127.0.0.1:80')).toEqual({ host: '127.0.0.1', port: 80 });
    expect(parseHostPort('[2001:db8::1]:80')).toEqual({ host: '2001:db8::1', port: 80 });
    expect(parseHostPort('host.example:0')).toEqual({ host: 'host.example', port: 0 });
    expect(parseHostPort('host', 7)).toEqual({ host: 'host', port: 7 });
    expect(parseHostPort('::1', 7)).toEqual({ host: '::1', port: 7 });
    expect(parseHostPort('[::1]', 7)).toEqual({ host: '::1', port: 7 });
    for (const text of ['', ':80', 'host', '::1', '::1:80:x', 'host:65536', 'host:x', '[host]:1', 'a:b:c', '[::1]x:1']) expect(parseHostPort(text)).toBeUndefined();
    expect(hostPortSchema().safeParse('x').error?.issues[0]?.message).toContain('"x" is not HOST:PORT');
  });

  test('HOST:PORT#ID', () => {
    const schema = rendezvousSettingSchema(12_000);
    expect(schema.parse('host')).toEqual({ host: 'host', port: 12_000 });
    expect(schema.parse(`host:1#${id}`)).toEqual({ host: 'host', port: 1, id });
    for (const text of ['host#', 'host#short', `host#${id}#${id}`, '#', `#${id}`]) expect(schema.safeParse(text).success).toBe(false);
  });

  test('names are trimmed, in NFC, and hold nothing invisible', () => {
    expect(nameSettingSchema.parse(' Zoe\u0308 ')).toBe('Zo\u00eb');
    for (const text of ['', '  ', 'a\nb', 'a\u202eb', 'x'.repeat(65), 'é'.repeat(33)]) expect(nameSettingSchema.safeParse(text).success).toBe(false);
    expect(roomSettingSchema.safeParse('a\u0007').success).toBe(false);
    expect(roomSettingSchema.parse('kitchen')).toBe('kitchen');
  });

  test('paths become absolute', () => {
    expect(pathSettingSchema.parse('/x')).toBe('/x');
    expect(pathSettingSchema.parse('x')).toBe(`${process.cwd()}/x`);
    expect(pathSettingSchema.parse('~/x')).toMatch(/^\/.*\/x$/);
    expect(pathSettingSchema.safeParse('').success).toBe(false);
  });

  test('the state directory: of systemd, of XDG, below HOME', () => {
    expect(defaultStateDir('p', { STATE_DIRECTORY: '/var/lib/p:/var/lib/q', XDG_STATE_HOME: '/s', HOME: '/h' })).toBe('/var/lib/p');
    expect(defaultStateDir('p', { XDG_STATE_HOME: '/s', HOME: '/h' })).toBe('/s/p');
    expect(defaultStateDir('p', { HOME: '/h' })).toBe('/h/.local/state/p');
    expect(() => defaultStateDir('p', {})).toThrow(/HOME is not set/);
  });
});
