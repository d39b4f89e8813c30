/** The simulated clock: what is to happen, in order of time. Nothing happens beside it, so a seed gives one history. */

/** Whose turn it is. */
export interface Actor {
  /** A process that has ended does nothing any more. */
  readonly alive: boolean;
  /** Until then it gets no processor: what comes for it waits. */
  readonly suspendedUntil: number;
}

export interface Task {
  cancelled: boolean;
}

interface Entry extends Task {
  at: number;
  /** Among equal times, in the order of planning. */
  order: number;
  readonly actor: Actor | undefined;
  readonly action: () => void;
}

export class Timeline {
  /** Milliseconds since the beginning. Never goes back: it is the monotonic clock of every machine. */
  now = 0;
  steps = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  /** @param actor who acts; without one, it is the world itself */
  plan(ms: number, actor: Actor | undefined, action: () => void): Task {
    const entry: Entry = { at: this.now + Math.max(0, ms), order: (this.#order += 1), actor, action, cancelled: false };
    this.#push(entry);
    return entry;
  }

  /** Takes the next step. `false`: nothing is planned. */
  step(): boolean {
    for (let entry = this.#pop(); entry; entry = this.#pop()) {
      const { actor } = entry;
      if (entry.cancelled || actor?.alive === false) continue;
      if (actor && actor.suspendedUntil > entry.at) {
        entry.at = actor.suspendedUntil;
        entry.order = this.#order += 1;
        this.#push(entry);
        continue;
      }
      this.now = entry.at;
      this.steps += 1;
      entry.action();
      return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Entry)) child += 1;
      const below = heap[child] as Entry;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
