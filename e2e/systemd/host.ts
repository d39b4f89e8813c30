/** What the tests of services need of a machine with systemd. */
import type { Machine } from '../machine/machine.ts';

/** Shorter than in the units, so that a test need not wait for half a minute. */
export const shortWatchdog = (machine: Machine, unit: string): Promise<void> =>
  machine.write(`/run/systemd/system/${unit}.d/watchdog.conf`, '[Service]\nWatchdogSec=3').then(async () => void (await machine.ok('systemctl daemon-reload')));

interface JournalEntry {
  readonly PRIORITY: string;
  readonly MESSAGE: string;
  readonly SYSLOG_IDENTIFIER: string;
}

/** What a unit's own processes logged. */
export const journal = async (machine: Machine, unit: string, options = ''): Promise<{ priority: number; line: Record<string, unknown> & { msg?: string; level?: number } }[]> => {
  const text = await machine.ok(`journalctl --unit=${unit} --output=json --no-pager ${options}`);
  return text
    .split('\n')
    .filter((entry) => entry !== '')
    .map((entry) => JSON.parse(entry) as JournalEntry)
    .filter(({ SYSLOG_IDENTIFIER, MESSAGE }) => SYSLOG_IDENTIFIER !== 'systemd' && MESSAGE.startsWith('{'))
    .map(({ PRIORITY, MESSAGE }) => ({ priority: Number(PRIORITY), line: JSON.parse(MESSAGE) as Record<string, unknown> }));
};
