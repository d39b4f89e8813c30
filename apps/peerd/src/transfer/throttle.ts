/** Calls at most so often, and always once more after the last `touch`. */
export class Throttle {
  readonly #intervalMs: number;
  readonly #call: () => void;
  #timer: NodeJS.Timeout | undefined;
  #again = false;

  constructor(intervalMs: number, call: () => void) {
    this.#intervalMs = intervalMs;
    this.#call = call;
  }

  touch(): void {
    if (this.#timer) {
      this.#again = true;
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.touch();
    }, this.#intervalMs);
    this.#call();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
  }
}
