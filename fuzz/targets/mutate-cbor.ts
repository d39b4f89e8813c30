/** Changes CBOR as a tree: what is inside stays decodable, so that the checks behind the decoder are reached. */
import { decodeCbor, encodeCbor } from '@peerd/protocol';
import type { Random } from '../engine/random.ts';

const values: readonly unknown[] = [
  0, -0, 1, -1, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 64n - 1n, 0.5, Number.NaN, Number.POSITIVE_INFINITY,
  '', 'a', '\0', '..', 'a/b', '\u202e', 'x'.repeat(300), new Uint8Array(0), new Uint8Array(16), new Uint8Array(32), new Uint8Array(64), Buffer.from('..'), Buffer.from('a/b'), Buffer.from('../../x'),
  null, true, false, [], {}, [[]], { seq: 1 },
];

const changed = (value: unknown, random: Random): unknown => {
  if (random.below(4) === 0) return random.pick(values);
  if (value instanceof Uint8Array) return random.below(2) === 0 ? value.subarray(0, random.below(value.length + 1)) : Buffer.concat([value, Buffer.of(random.below(256))]);
  if (Array.isArray(value)) {
    const items: unknown[] = [...(value as unknown[])];
    const at = random.below(items.length + 1);
    if (random.below(3) === 0) items.splice(at, random.below(2), ...items.slice(0, 1 + random.below(3)));
    else if (at < items.length) items[at] = changed(items[at], random);
    return items;
  }
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value);
    const [key, field] = random.pick(fields.length === 0 ? [['a', 0] as [string, unknown]] : fields);
    if (random.below(6) === 0) return Object.fromEntries(fields.filter(([name]) => name !== key));
    if (random.below(8) === 0) return { ...value, [random.pick(['later', '__proto__', 'constructor', ''])]: field };
    return { ...value, [key]: changed(field, random) };
  }
  return random.pick(values);
};

/** @param prefix bytes before the CBOR item that stay as they are */
export const cborMutator =
  (prefix: number) =>
  (input: Buffer, random: Random): Buffer => {
    let value: unknown;
    try {
      value = decodeCbor(input.subarray(prefix));
    } catch {
      value = random.pick(values);
    }
    return Buffer.concat([input.subarray(0, prefix), encodeCbor(changed(value, random))]);
  };
