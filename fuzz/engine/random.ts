/** Randomness that a seed repeats: mulberry32, enough to choose mutations. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number, 0 ≤ n < bound. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Each target draws from a sequence of its own, so that one replays without the others. */
export const seedFor = (seed: number, name: string): number => {
  let mixed = seed;
  for (const byte of Buffer.from(name)) mixed = Math.imul(mixed ^ byte, 0x01000193) >>> 0;
  return mixed;
};
