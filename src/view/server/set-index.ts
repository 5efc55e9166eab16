import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../files/make-folder.js';
import { increment } from '../../records/increment.js';
import { type NoteCount, NoteCounts } from '../../sinks/exports/note-counts.js';
import { relationSource, relationTagger } from '../../sinks/relation-expression.js';
import type { IndexProgress } from '../view-api.js';
import { candidateWays } from './candidate-ways.js';
import { captionWords } from './caption-words.js';
import { Dictionary } from './dictionary.js';
import { DocumentFile } from './document-file.js';
import { IndexRows, TABLES } from './index-rows.js';
import type { ViewDatabase } from './view-database.js';
import type { ViewRecord, ViewSet } from './view-set.js';

/** Another number makes all indexes anew. */
const FORMAT = 2;

/** The columns that are numbers of texts. */
const DICTIONARIES = ['predicate', 'category', 'source', 'tagger', 'dataset', 'split', 'reason'] as const;
export type DictionaryName = (typeof DICTIONARIES)[number];

/** Number of images after which rows become visible; the first ones do so earlier, because the first page waits for them. */
const FIRST_FLUSH = 100;
const FLUSH = 5000;
/** How many indexes are kept in the cache. */
const KEPT_INDEXES = 12;
/** Folders of processes that ended early are removed after this time, in milliseconds. */
const PARTIAL_AGE = 24 * 3_600_000;

/** Where an index is, and what it tells of its making. */
export interface SetIndexOptions {
  readonly db: ViewDatabase;
  /** Name of the attached database: `here` or `there`. */
  readonly alias: 'here' | 'there';
  readonly set: ViewSet;
  /** Folder of all indexes. */
  readonly cache: string;
  readonly signal: AbortSignal;
}

/**
 * The index of a set: its images and relations as rows of numbers, and its records in a compressed file. It is a cache, named by
 * the set's content; while it is made, the rows so far can be queried.
 */
export class SetIndex {
  readonly set: ViewSet;
  readonly alias: 'here' | 'there';
  readonly dictionaries: Readonly<Record<DictionaryName, Dictionary>>;
  #refused = new NoteCounts();
  /** Whether the table `drawn`, of relations that people drew, has rows. */
  hasDrawn = false;
  #documents: DocumentFile | null = null;
  #images = 0;
  #relations = 0;
  #share = 0;
  #done = false;
  #hasCaptions = false;
  #problem: string | undefined;
  #error: unknown;
  #partial: string | null = null;
  /** Settles when the index is complete, or was given up. */
  readonly completion: Promise<void>;

  private constructor(options: SetIndexOptions, onFirst: () => void) {
    this.set = options.set;
    this.alias = options.alias;
    this.dictionaries = Object.fromEntries(DICTIONARIES.map((name) => [name, new Dictionary()])) as Record<
      DictionaryName,
      Dictionary
    >;
    this.completion = this.#make(options, onFirst).catch((error: unknown) => {
      if (!options.signal.aborted) this.#problem = (error as Error).message;
      this.#done = true;
      this.#error = error;
      onFirst();
    });
  }

  /**
   * Opens an index, or begins to make it; returns when there is a first page to show.
   * @throws the error that ended the reading of the set before that
   */
  static async open(options: SetIndexOptions): Promise<SetIndex> {
    let onFirst = () => {};
    const first = new Promise<void>((resolve) => {
      onFirst = resolve;
    });
    const index = new SetIndex(options, onFirst);
    await first;
    if (index.#error !== undefined && index.#images === 0) {
      await index.close();
      throw index.#error;
    }
    return index;
  }

  get progress(): IndexProgress {
    return {
      done: this.#done,
      images: this.#images,
      relations: this.#relations,
      share: this.#done && this.#problem === undefined ? 1 : this.#share,
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** The rows of relations, with those that people drew, as a table of a statement. */
  get relationRows(): string {
    const rows = `${this.alias}.relations`;
    return this.hasDrawn ? `(SELECT * FROM ${rows} UNION ALL SELECT * FROM drawn)` : rows;
  }

  /** What is not in the set, by reason. */
  get refused(): ReadonlyMap<string, NoteCount> {
    return this.#refused.counts;
  }

  get hasCaptions(): boolean {
    return this.#hasCaptions;
  }

  /** Returns the record of an image; null if there is none with this number. */
  async record(key: number): Promise<ViewRecord | null> {
    if (!Number.isSafeInteger(key) || key < 0) return null;
    return ((await this.#documents?.get(key)) as ViewRecord | undefined) ?? null;
  }

  /** Closes the files, after the database; what is not complete is removed. */
  async close(): Promise<void> {
    await this.completion;
    await this.#documents?.close();
    if (this.#partial !== null) await rm(this.#partial, { recursive: true, force: true });
  }

  async #make(options: SetIndexOptions, onFirst: () => void): Promise<void> {
    const { db, set, cache, signal } = options;
    await makeFolder(cache);
    const folder = join(cache, `${set.digest.slice(0, 32)}-${FORMAT}`);
    if (await this.#openFinished(db, folder)) {
      onFirst();
      return;
    }
    await removeOld(cache);
    const partial = `${folder}.${process.pid}-${Date.now()}.partial`;
    await makeFolder(partial);
    this.#partial = partial;
    const file = (name: string) => join(partial, name);
    await db.run(`ATTACH '${quoted(file('index.duckdb'))}' AS ${this.alias}`);
    for (const [name, columns] of Object.entries(TABLES))
      await db.run(`CREATE TABLE ${this.alias}.${name} (${columns})`);
    this.#documents = await DocumentFile.create(file('records.bin'));
    const rows = await IndexRows.open(db, this.alias);
    let unflushed = 0;
    let images = 0;
    const flush = async () => {
      rows.flush();
      this.#images = images;
      this.#relations = rows.relations;
      unflushed = 0;
      if (images > 0) onFirst();
      // Other requests are answered in between.
      await new Promise(setImmediate);
    };
    const onShare = (share: number) => {
      this.#share = share;
    };
    try {
      for await (const record of set.read(onShare, this.#refused, signal)) {
        await this.#documents.add(record);
        this.#addRows(rows, images++, record);
        if (++unflushed >= (images <= FIRST_FLUSH ? FIRST_FLUSH : Math.min(FLUSH, images))) await flush();
      }
      await this.#documents.flush();
      for (const name of DICTIONARIES)
        for (const [id, text] of this.dictionaries[name].texts.entries()) rows.add('terms', [name, id, text]);
      for (const { at, bytes } of this.#documents.blocks) rows.add('blocks', [at, bytes]);
      for (const [reason, { count, example }] of this.#refused.counts) rows.add('refused', [reason, count, example]);
      rows.add('totals', [images, rows.relations, this.#hasCaptions]);
      await flush();
    } finally {
      rows.close();
    }
    await this.#finish(db, partial, folder);
    this.#done = true;
    onFirst();
  }

  #addRows(rows: IndexRows, key: number, { graph, candidates }: ViewRecord): void {
    const { image, objects, relations, captions } = graph;
    const { predicate, category, source, tagger, dataset, split, reason } = this.dictionaries;
    if (captions.length > 0) this.#hasCaptions = true;
    rows.add('images', [
      key,
      String(image.id),
      image.file,
      dataset.add(image.dataset),
      split.add(image.split),
      image.width,
      image.height,
      objects.length,
      relations.length,
      captionWords(captions),
    ]);
    for (const [place, relation] of relations.entries()) {
      const { confidence } = relation;
      const [s, o] = [objects[relation.subject], objects[relation.object ?? -1]];
      rows.add('relations', [
        key,
        place,
        category.add(s?.category ?? ''),
        predicate.add(relation.predicate),
        category.add(o?.category ?? ''),
        source.add(relationSource(relation)),
        tagger.add(relationTagger(relation, graph)),
        confidence ?? 1,
        confidence !== undefined,
        s?.score ?? 1,
        o?.score ?? 1,
      ]);
    }
    if (candidates === null) return;
    const counts = new Map<string, number>();
    for (const { isKept, reason: why } of candidateWays(graph, candidates, this.set.threshold))
      if (!isKept) increment(counts, why);
    for (const [why, count] of counts) rows.add('dropped', [key, reason.add(why), count]);
  }

  /** Gives a complete index its name, under which later processes find it. */
  async #finish(db: ViewDatabase, partial: string, folder: string): Promise<void> {
    await db.alone(async (run) => {
      await run(`DETACH ${this.alias}`);
      // Another process may have made the same index meanwhile; this one is then used until the end.
      const path = await rename(partial, folder).then(
        () => folder,
        () => partial,
      );
      if (path === folder) this.#partial = null;
      await run(`ATTACH '${quoted(join(path, 'index.duckdb'))}' AS ${this.alias} (READ_ONLY)`);
    });
  }

  async #openFinished(db: ViewDatabase, folder: string): Promise<boolean> {
    const path = join(folder, 'index.duckdb');
    if (!(await stat(path).catch(() => null))) return false;
    try {
      await db.run(`ATTACH '${quoted(path)}' AS ${this.alias} (READ_ONLY)`);
      const terms = await db.all<{ dictionary: DictionaryName; text: string }>(
        `SELECT dictionary, text FROM ${this.alias}.terms ORDER BY dictionary, id`,
      );
      for (const { dictionary, text } of terms) this.dictionaries[dictionary].add(text);
      const blocks = await db.all<{ at: number; bytes: number }>(
        `SELECT first_byte AS at, bytes FROM ${this.alias}.blocks ORDER BY 1`,
      );
      this.#documents = await DocumentFile.open(join(folder, 'records.bin'), blocks);
      const refused = await db.all<{ reason: string; count: number; example: string }>(
        `SELECT reason, count, example FROM ${this.alias}.refused`,
      );
      for (const { reason, count, example } of refused) this.#refused.add(reason, example, count);
      const { images, relations, has_captions } = await db.one<{
        images: number;
        relations: number;
        has_captions: boolean;
      }>(`SELECT * FROM ${this.alias}.totals`);
      [this.#images, this.#relations, this.#hasCaptions, this.#done] = [images, relations, has_captions, true];
      return true;
    } catch {
      // A damaged cache is made anew.
      await db.run(`DETACH DATABASE IF EXISTS ${this.alias}`);
      await this.#documents?.close();
      for (const name of DICTIONARIES)
        (this.dictionaries as Record<DictionaryName, Dictionary>)[name] = new Dictionary();
      this.#refused = new NoteCounts();
      await rm(folder, { recursive: true, force: true });
      return false;
    }
  }
}

const quoted = (path: string) => path.replaceAll("'", "''");

/** Removes all but the newest indexes, and what processes that ended early have left. */
async function removeOld(cache: string): Promise<void> {
  const entries = await Promise.all(
    (await readdir(cache)).map(async (name) => ({
      path: join(cache, name),
      isPartial: name.endsWith('.partial'),
      changed: (await stat(join(cache, name)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
  entries.sort((a, b) => b.changed - a.changed);
  const complete = entries.filter(({ isPartial }) => !isPartial).slice(KEPT_INDEXES - 1);
  const left = entries.filter(({ isPartial, changed }) => isPartial && Date.now() - changed > PARTIAL_AGE);
  for (const { path } of [...complete, ...left]) await rm(path, { recursive: true, force: true }).catch(() => {});
}
