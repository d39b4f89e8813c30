/** Bytes that look random and are the same at each run. */
export const content = (length: number, seed = 1): Buffer => {
  const buffer = Buffer.allocUnsafe(length);
  let value = (seed * 2_654_435_761) >>> 0;
  for (let at = 0; at < length; at += 1) {
    // xorshift32
    value ^= value << 13;
    value ^= value >>> 17;
    value ^= value << 5;
    buffer[at] = value & 0xff;
  }
  return buffer;
};
