/** What targets have in common. */
import { type ErrorCode, isErrorCode, PeerdError } from '@peerd/protocol';

/** The result, or `undefined` where it is refused as documented. Whatever else is thrown is a finding. */
export const unlessRefused = <T>(decode: () => T, ...codes: readonly ErrorCode[]): T | undefined => {
  try {
    return decode();
  } catch (error) {
    checkRefusal(error, codes);
    return undefined;
  }
};

/** @throws what was thrown, unless it is an error of ours with one of these codes */
export const checkRefusal = (error: unknown, codes: readonly ErrorCode[]): void => {
  if (!(error instanceof PeerdError) || !isErrorCode(error.code) || !codes.includes(error.code)) throw error;
};

/** Reads decisions from the bytes of an input; behind their end everything is 0. */
export class Choices {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** 0 ≤ n < bound ≤ 256. */
  below(bound: number): number {
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte % bound;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  flag(): boolean {
    return this.below(2) === 1;
  }
}

/** Each item once, chosen by one byte: a seed that goes through all of them. */
export const walk = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, at) => at));
