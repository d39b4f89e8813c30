import { runPeerctl } from './run.ts';

// The reader of a pipe has seen enough (`peerctl peers | head -1`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(1);
});

// Nobody reads what was wrong (`peerctl status 2>&1 | head -1`): the exit code says it all the same.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const main = async (): Promise<void> => {
  try {
    process.exitCode = await runPeerctl(process.argv.slice(2));
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
};

void main();
