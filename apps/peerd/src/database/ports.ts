export type SqlValue = string | number | bigint | null | Uint8Array;

export interface Statement {
  readonly sql: string;
  readonly params?: readonly SqlValue[];
}

/**
 * SQLite in a worker thread. Statements of one turn share one transaction (group commit); a promise resolves when the
 * commit is on stable storage.
 */
export interface Database {
  run(sql: string, ...params: SqlValue[]): Promise<{ changes: number }>;
  get<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined>;
  all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]>;
  /** All or nothing. */
  batch(statements: readonly Statement[]): Promise<void>;
  close(): Promise<void>;
}
