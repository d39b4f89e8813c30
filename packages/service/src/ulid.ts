/** ULIDs (https://github.com/ulid/spec) in lower case: ids that sort by the time at which they were made. */
import { randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const timeChars = 10;
const randomChars = 16;

let last = { time: 0, random: 0n };

/** Ids of one process ascend even within a millisecond, and when the clock is set back. */
export const newUlid = (now: number = Date.now()): string => {
  last = now > last.time ? { time: now, random: BigInt(`0x${randomBytes(10).toString('hex')}`) } : { time: last.time, random: last.random + 1n };
  return encode(BigInt(last.time), timeChars) + encode(last.random, randomChars);
};

/** Crockford's base32, most significant character first. */
const encode = (value: bigint, length: number): string => {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = (alphabet[Number(rest & 31n)] ?? '') + text;
  return text;
};
