/** Takes the pages of an offered manifest, and knows what is in it at the top. */
import { type ManifestPage, PeerdError } from '@peerd/protocol';
import { Manifest, ManifestWriter } from '@peerd/transfer';
import type { TransferRecord } from './record.ts';

/** Top-level names that are kept for the inbox, for receipts, and for policies: of a manifest with so many there may be more. */
export const maxTopLevel = 1_000;

export class ManifestIntake {
  readonly #writer: ManifestWriter;

  private constructor(writer: ManifestWriter) {
    this.#writer = writer;
  }

  static async open(path: string, record: TransferRecord): Promise<ManifestIntake> {
    const { entries, bytes, pages, manifestBytes, offerRoot } = record;
    return new ManifestIntake(await ManifestWriter.open({ path, chunkSize: record.chunkSize, announced: { entries, bytes, pages, manifestBytes, offerRoot } }));
  }

  get nextPage(): number {
    return this.#writer.nextPage;
  }

  /** Pages that were asked for twice are skipped. @throws PeerdError `manifest_invalid`, `manifest_too_large`, `malformed_frame` */
  async take({ index, page }: ManifestPage): Promise<void> {
    if (index < this.#writer.nextPage) return;
    if (index > this.#writer.nextPage) throw new PeerdError('manifest_invalid', `manifest page ${index} came instead of ${this.#writer.nextPage}`);
    await this.#writer.append(index, page);
  }

  /** Checks the whole against what was announced. */
  async finish(): Promise<{ chunks: number }> {
    const { chunks } = await this.#writer.finish();
    return { chunks };
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }
}

/** The first top-level names of a manifest. */
export const topLevelOf = async (manifest: Manifest): Promise<Buffer[]> => {
  const names: Buffer[] = [];
  for await (const { entry } of manifest.topLevel()) {
    const name = entry.path[0];
    if (name) names.push(Buffer.from(name));
    if (names.length === maxTopLevel) break;
  }
  return names;
};
