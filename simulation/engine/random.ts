/** Numbers that look random and are the same for the same seed, on every machine. */

/** FNV-1a over the parts of a seed. */
const hashOf = (parts: readonly (number | string)[]): number => {
  let hash = 0x811c9dc5;
  const text = parts.join('/');
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
};

/** Mulberry32. Each user has a stream of its own, so that what one of them draws changes nothing for the others. */
export class Random {
  #state: number;

  constructor(...seed: readonly (number | string)[]) {
    this.#state = hashOf(seed);
  }

  /** 0 ≤ result < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer, 0 ≤ result < bound. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }
}
