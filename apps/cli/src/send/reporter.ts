import type { SendEvent } from './tracker.ts';

/** Shows how a send goes on. */
export interface Reporter {
  event(event: SendEvent): void;
  /** The daemon is away (again) or back. */
  away(away: boolean): void;
  /** Draws and says nothing while a question is asked; what ended meanwhile is said afterwards. */
  pause(paused: boolean): void;
  close(): void;
}
