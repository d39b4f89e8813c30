/** Lines of a log that somebody else can provoke: of each message only so many are written in a while, and how many were left out. */

/** Milliseconds. */
const windowMs = 10_000;
/** Lines of one message in a window. */
const maxLines = 100;
/** Messages that are counted apart. What comes after that shares one count, since a message may bear a name. */
const maxMessages = 256;

export interface LogLimit {
  /** `leftOut`: lines of the window before, told once. */
  line(message: string): { readonly isWritten: boolean; readonly leftOut: number };
}

/** @param now milliseconds */
export const createLogLimit = (now: () => number): LogLimit => {
  const lines = new Map<string, number>();
  let beganAt = now();
  let left = 0;
  return {
    line: (message) => {
      let leftOut = 0;
      if (now() - beganAt >= windowMs) {
        beganAt = now();
        leftOut = left;
        left = 0;
        lines.clear();
      }
      const key = lines.has(message) || lines.size < maxMessages ? message : '';
      const count = (lines.get(key) ?? 0) + 1;
      lines.set(key, count);
      const isWritten = count <= maxLines;
      if (!isWritten) left += 1;
      return { isWritten, leftOut };
    },
  };
};
