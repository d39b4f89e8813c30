import { expect, test } from 'vitest';
import { parseByteSize } from '../src/byte-size.ts';

test.each([
  ['0', 0], ['1', 1], ['512', 512], ['512B', 512], ['1K', 1_024], ['1k', 1_024], ['1KiB', 1_024], ['1KB', 1_000], ['1.5M', 1_572_864], ['2 GiB', 2_147_483_648], ['10gb', 10_000_000_000],
  ['1P', 2 ** 50], ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('%s', (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

test.each(['', ' ', '-1', '1.', '.5', '1X', '1iB', '1KKB', '0x10', '1e3', '9007199254740992', '99P', '1\n2', 'K'])('not an amount: %j', (text) => expect(parseByteSize(text)).toBeUndefined());
