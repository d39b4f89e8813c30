import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRoomSecret } from '../../src/index.ts';

describe('room secret file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'peerd-secret-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const read = async (content: Buffer | string): Promise<Buffer> => {
    const path = join(directory, 'secret');
    await writeFile(path, content);
    return readRoomSecret(path);
  };

  test('white space at the ends is no part of the secret', async () => {
    expect(await read('open sesame\n')).toEqual(Buffer.from('open sesame'));
    expect(await read(' \topen sesame\r\n\n')).toEqual(Buffer.from('open sesame'));
  });

  test('any other byte is, valid text or not', async () => {
    const bytes = Buffer.from('a0ff00fe80c3281b85', 'hex');
    expect(await read(bytes)).toEqual(bytes);
  });

  test('a short, an empty, a huge and a missing file are errors that name the file', async () => {
    await expect(read('short\n')).rejects.toMatchObject({ code: 'invalid_settings', message: expect.stringContaining(directory) as string });
    await expect(read('')).rejects.toMatchObject({ code: 'invalid_settings' });
    await expect(read(Buffer.alloc(5_000, 1))).rejects.toMatchObject({ code: 'invalid_settings' });
    await expect(readRoomSecret(join(directory, 'none'))).rejects.toMatchObject({ code: 'invalid_settings', message: expect.stringContaining('ENOENT') as string });
  });
});
