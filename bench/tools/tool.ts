/** What is compared: something that brings a file or a directory from one place to another. */
import type { Program } from '../measure/programs.ts';
import type { Sample } from '../measure/usage.ts';

export interface Copy {
  /** A file or a directory; its name stands in the destination afterwards. */
  readonly source: string;
  /** The destination has another file of that name, which it replaces. */
  readonly existing: boolean;
  readonly signal: AbortSignal;
}

export interface OpenTool extends AsyncDisposable {
  /** Where what it copies appears. */
  readonly destination: string;
  /** One measured run, from the start of the command that a person types to its end. */
  copy(copy: Copy): Promise<Sample>;
}

export interface ToolPlace {
  /** Of the tool alone; removed by its owner. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface Tool {
  readonly name: string;
  readonly needs: readonly Program[];
  readonly handles: readonly ('file' | 'tree')[];
  /** Can replace a file that is there. */
  readonly replaces?: boolean;
  open(place: ToolPlace): Promise<OpenTool>;
}
