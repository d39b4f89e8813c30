/** All that is compared, in the order in which reports show it. */
import { findProgram, howToInstall, type Program } from '../measure/programs.ts';
import { cp } from './cp.ts';
import { croc } from './croc.ts';
import { floor } from './floor.ts';
import { nc, tarNc } from './netcat.ts';
import { rsyncSsh, scp, tarSsh } from './over-ssh.ts';
import { peerd, peerdDurable } from './peerd.ts';
import { rsyncDaemon } from './rsync-daemon.ts';
import { sendme } from './sendme.ts';
import { socat } from './socat.ts';
import type { Tool } from './tool.ts';
import { wormhole } from './wormhole.ts';

const all: readonly Tool[] = [peerd, peerdDurable, floor, cp, nc, tarNc, socat, rsyncDaemon, tarSsh, rsyncSsh, scp, croc, sendme, wormhole];

/** Ours and the floor are never left out. */
export const toolNames: readonly string[] = all.filter((tool) => tool !== peerd && tool !== floor).map(({ name }) => name);

export interface MissingTool {
  readonly tool: string;
  readonly install: readonly string[];
}

const missingOf = ({ needs }: Pick<Tool, 'needs'>): Program[] => needs.filter((program) => findProgram(program) === undefined);

export const findTools = (): { tools: Tool[]; missing: MissingTool[] } => ({
  tools: all.filter((tool) => missingOf(tool).length === 0),
  missing: [{ name: 'CPU of commands', needs: ['time'] } as const, ...all].flatMap((tool) => {
    const install = missingOf(tool).map(howToInstall);
    return install.length === 0 ? [] : [{ tool: tool.name, install: [...new Set(install)] }];
  }),
});
