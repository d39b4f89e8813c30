/** The manifest of one offer on its way here: opened when it is first asked for, gone from memory when it is complete. */
import type { ManifestPage } from '@peerd/protocol';
import { makeStateDirectory } from './layout.ts';
import { ManifestIntake } from './manifest-intake.ts';
import type { TransferRecord } from './record.ts';

export class ManifestArrival {
  readonly #stateDir: string;
  readonly #record: TransferRecord;
  #intake: Promise<ManifestIntake> | undefined;

  constructor(stateDir: string, record: TransferRecord) {
    this.#stateDir = stateDir;
    this.#record = record;
  }

  /** The first page that is missing. */
  async nextPage(): Promise<number> {
    this.#intake ??= makeStateDirectory(this.#stateDir, this.#record).then(({ manifest }) => ManifestIntake.open(manifest, this.#record));
    return (await this.#intake).nextPage;
  }

  /** @returns how many chunks it announces when this was the last page. A page that nobody asked for is dropped. @throws PeerdError as `ManifestIntake` */
  async take(page: ManifestPage): Promise<{ chunks: number } | undefined> {
    const intake = await this.#intake;
    if (!intake) return undefined;
    await intake.take(page);
    if (intake.nextPage < this.#record.pages) return undefined;
    const whole = await intake.finish();
    this.#intake = undefined;
    return whole;
  }

  async discard(): Promise<void> {
    const intake = await this.#intake?.catch(() => undefined);
    this.#intake = undefined;
    await intake?.discard();
  }
}
