/** Which link a transfer is on, as apps/peerd/src/transfer/attendance.ts has it. */
import type { Process } from '../world/machine.ts';
import type { Link } from './link.ts';
import { storeAgainMs, type TurnOptions } from './turns.ts';

type Dispatch = (event: { readonly type: 'linked' | 'unlinked' }, options: TurnOptions) => void;

export class Attendance {
  /** The one that the machine knows of. */
  link: Link | undefined;
  readonly #dispatch: Dispatch;
  readonly #process: Process;
  #announced: Link | undefined;

  constructor(process: Process, dispatch: Dispatch) {
    this.#process = process;
    this.#dispatch = dispatch;
  }

  linked(link: Link): void {
    if (this.#announced === link || !link.alive) return;
    if (this.#announced) this.unlinked(this.#announced);
    this.#announced = link;
    // It could not be stored: nobody else would tell the transfer of this link.
    const done = (error: string | undefined): void => {
      if (error === undefined || this.#announced !== link) return;
      this.#announced = undefined;
      this.#process.after(storeAgainMs, () => this.linked(link));
    };
    this.#dispatch({ type: 'linked' }, { when: () => link.alive, first: () => (this.link = link), done });
  }

  unlinked(link: Link): void {
    if (this.#announced === link) this.#announced = undefined;
    this.#dispatch({ type: 'unlinked' }, { when: () => this.link === link, first: () => (this.link = undefined) });
  }
}
