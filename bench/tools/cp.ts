/** A reference, not a competitor: nothing leaves the machine. */
import { runCommand } from '../measure/command.ts';
import { timed } from '../measure/timed.ts';
import { openSimple } from './open-simple.ts';
import type { Tool } from './tool.ts';

export const cp: Tool = {
  name: 'cp',
  needs: [],
  handles: ['file', 'tree'],
  replaces: true,
  open: (place) => openSimple(place, ({ source, signal }, destination) => timed(() => runCommand({ label: 'cp', argv: ['cp', '-a', '--reflink=never', source, destination], signal }))),
};
