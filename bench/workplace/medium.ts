/** A place on some file system to work in, and how much may be put there. */
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../measure/command.ts';

export type MediumName = 'tmpfs' | 'disk';

/** f_type of statfs(2). */
const tmpfsType = 0x01_02_19_94;
/** Of what is free: others live here too, and what is in a tmpfs is in RAM. */
const usableShare = { memory: 0.6, disk: 0.8 };
const MiB = 1024 * 1024;

export class Medium implements AsyncDisposable {
  readonly name: MediumName;
  /** Made by the bench, removed at its end. */
  readonly directory: string;
  readonly #isMemory: boolean;

  private constructor(name: MediumName, directory: string, isMemory: boolean) {
    this.name = name;
    this.directory = directory;
    this.#isMemory = isMemory;
  }

  /** @throws Error when the directory cannot be used */
  static async open(name: MediumName, base: string): Promise<Medium> {
    if (!(await stat(base)).isDirectory()) throw new Error(`${base} is not a directory`);
    const { type } = await statfs(base);
    return new Medium(name, await mkdtemp(join(base, 'peerd-bench-')), type === tmpfsType);
  }

  /** What was asked for under this name may be something else. */
  get isMemory(): boolean {
    return this.#isMemory;
  }

  /** Bytes that the bench may put there. */
  async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    const free = bavail * bsize;
    return Math.floor(this.#isMemory ? Math.min(free, freemem()) * usableShare.memory : free * usableShare.disk);
  }

  /** As many of the bytes as fit so many times, in whole MiB when it is less. */
  async fitting(bytes: number, copies: number): Promise<number> {
    const each = Math.floor((await this.room()) / copies);
    return bytes <= each ? bytes : Math.floor(each / MiB) * MiB;
  }

  /** What one run left to the kernel to write must not slow down the next one. */
  async settle(signal: AbortSignal): Promise<void> {
    if (!this.#isMemory) await runCommand({ label: 'sync', argv: ['sync', '-f', this.directory], signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
