import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { RelflowError } from '../../errors.js';

/** A value of a column, in JavaScript's types. */
export type Cell = string | number | boolean | null;

/** Values that a statement refers to as `$1`, `$2`, …, so that no text of data is ever part of a statement. */
export class Parameters {
  readonly values: (string | number)[] = [];

  /** Adds a value and returns its name in the statement. */
  add(value: string | number): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Maximum memory of the engine; beyond it, it works on disk. */
const MEMORY_LIMIT = '512MB';

/**
 * A database in memory, to which the files of indexes are attached. Statements run on threads of the engine, several at once.
 */
export class ViewDatabase {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  #running = 0;
  #closed: Promise<void> | null = null;
  #reopen: (() => void) | null = null;
  #onIdle: (() => void) | null = null;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /** @throws RelflowError `missing-package` when DuckDB has no program for this machine, or is not installed */
  static async open(temporaryFolder: string): Promise<ViewDatabase> {
    const duckdb = await import('@duckdb/node-api').catch((cause: unknown) => {
      throw new RelflowError(
        'missing-package',
        'view needs the package @duckdb/node-api, which is not installed or has no program for this machine: npm install @duckdb/node-api',
        { package: '@duckdb/node-api' },
        { cause },
      );
    });
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_LIMIT,
      temp_directory: temporaryFolder,
      // No statement of ours loads an extension or reads another file, so none may.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      preserve_insertion_order: 'false',
    });
    return new ViewDatabase(instance);
  }

  /** Runs statements that return nothing. */
  async run(sql: string, parameters = new Parameters()): Promise<void> {
    await this.#withConnection((connection) => connection.run(sql, parameters.values));
  }

  /** Returns the rows of a statement as objects. */
  async all<T extends { readonly [name in keyof T]: Cell }>(sql: string, parameters = new Parameters()): Promise<T[]> {
    const reader = await this.#withConnection((connection) => connection.runAndReadAll(sql, parameters.values));
    return reader.getRowObjectsJS().map((row) => {
      for (const [name, value] of Object.entries(row)) if (typeof value === 'bigint') row[name] = Number(value);
      return row as unknown as T;
    });
  }

  /** Returns the first row of a statement that has one. */
  async one<T extends { readonly [name in keyof T]: Cell }>(sql: string, parameters = new Parameters()): Promise<T> {
    const [row] = await this.all<T>(sql, parameters);
    if (row === undefined) throw new Error(`no row: ${sql}`);
    return row;
  }

  /** Opens a connection that stays with the caller, for rows to append. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** Does something while no statement runs, such as to attach a file in place of another; statements wait meanwhile. */
  async alone<T>(work: (run: (sql: string) => Promise<unknown>) => Promise<T>): Promise<T> {
    while (this.#closed) await this.#closed;
    this.#closed = new Promise((resolve) => {
      this.#reopen = resolve;
    });
    try {
      if (this.#running > 0)
        await new Promise<void>((resolve) => {
          this.#onIdle = resolve;
        });
      for (const connection of this.#idle.splice(0)) connection.closeSync();
      const connection = await this.#instance.connect();
      try {
        return await work((sql) => connection.run(sql));
      } finally {
        connection.closeSync();
      }
    } finally {
      this.#closed = null;
      this.#onIdle = null;
      this.#reopen?.();
    }
  }

  /** Ends all connections; the files can be removed afterwards. */
  async close(): Promise<void> {
    await this.alone(async () => {});
    this.#instance.closeSync();
  }

  async #withConnection<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    while (this.#closed) await this.#closed;
    this.#running++;
    try {
      const connection = this.#idle.pop() ?? (await this.#instance.connect());
      const result = await work(connection);
      this.#idle.push(connection);
      return result;
    } finally {
      if (--this.#running === 0) this.#onIdle?.();
    }
  }
}
