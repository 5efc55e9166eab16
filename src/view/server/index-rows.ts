import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { ViewDatabase } from './view-database.js';

/** The tables of an index; `drawn` in memory has the columns of `relations`. */
export const TABLES = {
  images:
    'key INTEGER, id VARCHAR, file VARCHAR, dataset INTEGER, split INTEGER, width INTEGER, height INTEGER, objects INTEGER, relations INTEGER, captions VARCHAR',
  relations:
    'image INTEGER, place INTEGER, subject INTEGER, predicate INTEGER, object INTEGER, source INTEGER, tagger INTEGER, confidence DOUBLE, is_scored BOOLEAN, subject_score DOUBLE, object_score DOUBLE',
  dropped: 'image INTEGER, reason INTEGER, count INTEGER',
  terms: 'dictionary VARCHAR, id INTEGER, text VARCHAR',
  blocks: 'first_byte DOUBLE, bytes INTEGER',
  refused: 'reason VARCHAR, count INTEGER, example VARCHAR',
  totals: 'images INTEGER, relations INTEGER, has_captions BOOLEAN',
} as const;

/** Appends rows to the tables of an index. */
export class IndexRows {
  readonly #connections: DuckDBConnection[];
  readonly #appenders: ReadonlyMap<string, DuckDBAppender>;
  relations = 0;

  private constructor(connections: DuckDBConnection[], appenders: ReadonlyMap<string, DuckDBAppender>) {
    this.#connections = connections;
    this.#appenders = appenders;
  }

  static async open(db: ViewDatabase, alias: string): Promise<IndexRows> {
    const connections: DuckDBConnection[] = [];
    const appenders = new Map<string, DuckDBAppender>();
    for (const name of Object.keys(TABLES)) {
      const connection = await db.connect();
      connections.push(connection);
      appenders.set(name, await connection.createAppender(name, 'main', alias));
    }
    return new IndexRows(connections, appenders);
  }

  add(table: keyof typeof TABLES, cells: readonly (string | number | boolean)[]): void {
    const appender = this.#appenders.get(table) as DuckDBAppender;
    const types = COLUMN_TYPES[table];
    for (const [index, cell] of cells.entries()) {
      const type = types[index];
      if (type === 'INTEGER') appender.appendInteger(cell as number);
      else if (type === 'DOUBLE') appender.appendDouble(cell as number);
      else if (type === 'BOOLEAN') appender.appendBoolean(cell as boolean);
      else appender.appendVarchar(cell as string);
    }
    appender.endRow();
    if (table === 'relations') this.relations++;
  }

  flush(): void {
    for (const appender of this.#appenders.values()) appender.flushSync();
  }

  close(): void {
    for (const appender of this.#appenders.values()) appender.closeSync();
    for (const connection of this.#connections) connection.closeSync();
  }
}

const COLUMN_TYPES = Object.fromEntries(
  Object.entries(TABLES).map(([name, columns]) => [name, columns.split(', ').map((column) => column.split(' ')[1]!)]),
) as unknown as { readonly [table in keyof typeof TABLES]: readonly string[] };
