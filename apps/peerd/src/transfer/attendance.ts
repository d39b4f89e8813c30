/** Which link a transfer is on. Its machine hears of a link once, and of the end of the one before first. */
import type { Logger } from '@peerd/service';
import type { Link } from '../peer/ports.ts';
import type { DispatchOptions } from './runner.ts';

type Dispatch = (event: { readonly type: 'linked' | 'unlinked' }, options: DispatchOptions) => Promise<void>;

export class Attendance {
  readonly #dispatch: Dispatch;
  readonly #logger: Logger;
  #link: Link | undefined;
  #announced: Link | undefined;

  constructor(dispatch: Dispatch, logger: Logger) {
    this.#dispatch = dispatch;
    this.#logger = logger;
  }

  /** The one that the machine knows of. */
  get link(): Link | undefined {
    return this.#link;
  }

  async linked(link: Link): Promise<void> {
    if (this.#announced === link || link.signal.aborted) return;
    if (this.#announced) this.unlinked(this.#announced).catch((error: unknown) => this.#logger.error({ err: error }, 'transfer: the end of a link was not taken'));
    this.#announced = link;
    try {
      await this.#dispatch({ type: 'linked' }, { when: () => !link.signal.aborted, first: () => (this.#link = link) });
    } catch (error) {
      // Then the next message of this link announces it again.
      if (this.#announced === link) this.#announced = undefined;
      throw error;
    }
  }

  unlinked(link: Link): Promise<void> {
    if (this.#announced === link) this.#announced = undefined;
    return this.#dispatch({ type: 'unlinked' }, { when: () => this.#link === link, first: () => (this.#link = undefined) });
  }
}
