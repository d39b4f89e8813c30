/** Takes the pages of a peer's manifest one after the other. Nothing that breaks the path policy gets into the file. */
import { decodeManifestPage, escapeBytes, manifestMaxBytes, manifestMaxPages, manifestPageMaxBytes, maxEntries, PeerdError, type ManifestEntry } from '@peerd/protocol';
import { EntryOrder } from '../path-policy.ts';
import type { ManifestSummary } from './layout.ts';
import { PageFile } from './page-file.ts';

/** What the offer said about its manifest. */
export interface AnnouncedManifest {
  readonly entries: number;
  readonly bytes: number;
  readonly pages: number;
  readonly manifestBytes: number;
  readonly offerRoot: Uint8Array;
}

export class ManifestWriter {
  readonly #file: PageFile;
  readonly #announced: AnnouncedManifest;
  readonly #order = new EntryOrder();

  private constructor(file: PageFile, announced: AnnouncedManifest) {
    this.#file = file;
    this.#announced = announced;
  }

  /** An incomplete file of before is thrown away. @throws PeerdError `manifest_too_large`, `io_error`, `no_space` */
  static async open(options: { path: string; chunkSize: number; announced: AnnouncedManifest }): Promise<ManifestWriter> {
    const { entries, pages, manifestBytes } = options.announced;
    if (entries > maxEntries) throw tooLarge(`the manifest has ${entries} entries, at most ${maxEntries} are taken`);
    if (manifestBytes > manifestMaxBytes) throw tooLarge(`the manifest has ${manifestBytes} bytes, at most ${manifestMaxBytes} are taken`);
    if (pages > manifestMaxPages) throw tooLarge(`the manifest has ${pages} pages, at most ${manifestMaxPages} are taken`);
    return new ManifestWriter(await PageFile.create(options.path, options.chunkSize, false), options.announced);
  }

  get nextPage(): number {
    return this.#file.totals.pages;
  }

  /** @throws PeerdError `malformed_frame`, `manifest_invalid`, `io_error`, `no_space` */
  async append(index: number, page: Uint8Array): Promise<void> {
    if (index !== this.nextPage) throw new PeerdError('malformed_frame', `manifest page ${index} came, page ${this.nextPage} is expected`);
    if (page.length > manifestPageMaxBytes) throw new PeerdError('malformed_frame', `a manifest page has ${page.length} bytes, at most ${manifestPageMaxBytes} are allowed`);
    const entries = decodeManifestPage(page);
    for (const entry of entries) {
      const violation = this.#order.next(entry);
      if (violation !== undefined) throw new PeerdError('manifest_invalid', `the manifest has ${violation}: "${pathForPeople(entry)}"`);
    }
    this.#assertAnnounced(page, entries);
    await this.#file.append(page, entries);
  }

  /** @throws PeerdError `manifest_invalid` when something that was announced is missing or different */
  async finish(): Promise<ManifestSummary> {
    const totals = this.#file.totals;
    for (const field of ['pages', 'manifestBytes', 'entries', 'bytes'] as const)
      if (totals[field] !== this.#announced[field]) throw new PeerdError('manifest_invalid', `the manifest has ${totals[field]} ${field}, the offer announced ${this.#announced[field]}`);
    if (!this.#file.offerRoot().equals(this.#announced.offerRoot)) throw new PeerdError('manifest_invalid', 'the manifest is not the one that was offered: its hash differs');
    return this.#file.finish();
  }

  async discard(): Promise<void> {
    await this.#file.discard();
  }

  /** Not a byte more than was announced is stored. */
  #assertAnnounced(page: Uint8Array, entries: readonly ManifestEntry[]): void {
    const totals = this.#file.totals;
    const after = {
      pages: totals.pages + 1,
      manifestBytes: totals.manifestBytes + page.length,
      entries: totals.entries + entries.length,
      bytes: entries.reduce((sum, entry) => sum + entry.size, totals.bytes),
    };
    for (const field of ['pages', 'manifestBytes', 'entries', 'bytes'] as const)
      if (after[field] > this.#announced[field]) throw new PeerdError('manifest_invalid', `the manifest has more ${field} than the ${this.#announced[field]} that the offer announced`);
  }
}

const tooLarge = (message: string): PeerdError =>
  new PeerdError('manifest_too_large', message, { hint: 'Send it in several parts, or pack it into an archive first.' });

const pathForPeople = (entry: ManifestEntry): string => escapeBytes(Buffer.concat(entry.path.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from('/'), part])))).slice(0, 1_024);
