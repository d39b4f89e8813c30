/** The error of an operating system call, with the position in its batch of what it happened to. */
export class BatchError extends Error {
  readonly code: string | undefined;
  readonly errno: number | undefined;
  readonly position: number;

  constructor(cause: unknown, position: number) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    this.errno = cause instanceof Error && 'errno' in cause && typeof cause.errno === 'number' ? cause.errno : undefined;
    this.position = position;
  }
}
