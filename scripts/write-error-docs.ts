/** Writes docs/protocol/errors.md from the error registry. Run it after adding a code: `pnpm docs:errors`. */
import { writeFileSync } from 'node:fs';
import { errorCodes } from '../packages/protocol/src/errors.ts';

const rows = Object.entries(errorCodes).map(([code, { exit, retryable, summary }]) => `| \`${code}\` | ${exit} | ${retryable ? 'yes' : 'no'} | ${summary} |`);
writeFileSync(
  new URL('../docs/protocol/errors.md', import.meta.url),
  `# Error codes

Codes stand in \`close\`, \`reject\`, \`entry-failed\` and \`failed\` messages, in the control API and on standard error with
\`--json\`. They are stable: codes are added, never renamed. *Exit* is the exit code of peerctl. *Retry* says whether the
same call may succeed later without a change by the caller.

| code | exit | retry | meaning |
|---|---|---|---|
${rows.join('\n')}
`,
);
