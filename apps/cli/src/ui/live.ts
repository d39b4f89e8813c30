/** Lines at the end of the terminal that are drawn again and again. */
import { createLogUpdate } from 'log-update';

export interface Live {
  /** Draws what the view says now. */
  render(): void;
  /** Lines that stay, above the live ones. */
  persist(lines: readonly string[]): void;
  /** Takes the live lines away, until the next `render`. */
  clear(): void;
  /** Leaves the last drawing and gives the cursor back. */
  close(): void;
}

/** `view` makes lines that fit the columns. What does not fit the rows is counted. */
export const openLive = (stream: NodeJS.WriteStream, view: (columns: number, rows: number) => readonly string[]): Live => {
  const update = createLogUpdate(stream);
  const draw = (): void => {
    const rows = stream.rows || 24;
    const lines = view(stream.columns || 80, rows);
    // The cursor stands in the line below.
    const room = Math.max(1, rows - 1);
    const shown = lines.length <= room ? lines : [...lines.slice(0, Math.max(0, room - 1)), `… and ${lines.length - Math.max(0, room - 1)} more`];
    if (shown.length === 0) update.clear();
    else update(shown.join('\n'));
  };
  stream.on('resize', draw);
  return {
    render: draw,
    persist: (lines) => {
      if (lines.length > 0) update.persist(lines.join('\n'));
    },
    clear: () => update.clear(),
    close: () => {
      stream.off('resize', draw);
      update.done();
    },
  };
};
