/** Which link a transfer is on, as apps/peerd/src/transfer/attendance.ts has it. */
import type { Link } from './link.ts';
import type { TurnOptions } from './turns.ts';

type Dispatch = (event: { readonly type: 'linked' | 'unlinked' }, options: TurnOptions) => void;

export class Attendance {
  /** The one that the machine knows of. */
  link: Link | undefined;
  readonly #dispatch: Dispatch;
  #announced: Link | undefined;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  linked(link: Link): void {
    if (this.#announced === link || !link.alive) return;
    if (this.#announced) this.unlinked(this.#announced);
    this.#announced = link;
    const done = (error: string | undefined): void => {
      if (error !== undefined && this.#announced === link) this.#announced = undefined;
    };
    this.#dispatch({ type: 'linked' }, { when: () => link.alive, first: () => (this.link = link), done });
  }

  unlinked(link: Link): void {
    if (this.#announced === link) this.#announced = undefined;
    this.#dispatch({ type: 'unlinked' }, { when: () => this.link === link, first: () => (this.link = undefined) });
  }
}
