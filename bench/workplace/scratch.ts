/** A directory of a case or a tool, gone at its end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export class Scratch implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async in(directory: string, name: string): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(directory, `${name}-`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
