/** What the control layer offers to the parts that it shows. */
import type { ControlEvent } from '@peerd/protocol';

/** Where chat, transfers and links say what happened. Never blocks: a subscriber that is too slow is cut off. */
export interface EventSink {
  publish(event: ControlEvent): void;
}
