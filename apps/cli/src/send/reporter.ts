import type { SendEvent } from './tracker.ts';

/** Shows how a send goes on. */
export interface Reporter {
  event(event: SendEvent): void;
  /** The daemon is away (again) or back. */
  away(away: boolean): void;
  /** Stops drawing while a question is asked. */
  pause(paused: boolean): void;
  close(): void;
}
