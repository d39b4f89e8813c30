/** Writes docs/cli.md from the commands. Run it after changing one: `pnpm docs:cli`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cliDocs } from './cli-docs.ts';

const file = new URL('../docs/cli.md', import.meta.url);
writeFileSync(file, cliDocs(readFileSync(file, 'utf8')));
