import { OptionError } from '../../errors.js';
import { addToList } from '../../records/add-to-list.js';
import type { Id } from '../../records/image.js';
import type { Review } from '../../records/review.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { EditLog, EditReply, NewEdit, SavedEdit } from '../review-api.js';
import { inOrder, undoneEdits } from '../reviews/active-edits.js';
import { imageName } from '../reviews/image-name.js';
import { type ImageReviews, imageReviews, reviewedRelation } from '../reviews/image-reviews.js';
import type { ReviewFile } from '../reviews/review-file.js';
import type { ImageKey, ImageRelation, RelationRef, RelationReview } from '../view-api.js';
import { relationsOf } from './image-detail.js';
import type { SetIndex } from './set-index.js';
import { Parameters, type ViewDatabase } from './view-database.js';

/** Images whose keys are looked up at once. */
const BATCH = 500;
/** The longest predicate that people may write, in characters. */
const LONGEST_PREDICATE = 200;
const UNREVIEWED: RelationReview = { state: 'unreviewed' };

/** Takes edits of the set's relations, and says what people said about each. */
export class ReviewDesk {
  readonly #db: ViewDatabase;
  readonly #index: SetIndex;
  readonly #file: ReviewFile;
  readonly #reviewer: string;
  readonly #byImage = new Map<string, Review[]>();
  /** Keys of images with edits, by the name of the image. */
  readonly #keys = new Map<string, ImageKey>();
  /** Edits of something that the set does not have, by the name of the image. */
  readonly #unknown = new Map<string, number>();
  #lastTime = 0;
  #syncing: Promise<void> = Promise.resolve();

  private constructor(db: ViewDatabase, index: SetIndex, file: ReviewFile, reviewer: string) {
    this.#db = db;
    this.#index = index;
    this.#file = file;
    this.#reviewer = reviewer;
  }

  /** Begins with the edits of a file. */
  static async open(db: ViewDatabase, index: SetIndex, file: ReviewFile, reviewer: string): Promise<ReviewDesk> {
    const desk = new ReviewDesk(db, index, file, reviewer);
    desk.#take([...file.edits.values()]);
    // Keys are known when the index is complete; until then, images show their edits and filters do not know them.
    if (index.progress.done) await desk.#sync([...desk.#byImage.keys()]);
    else index.completion.then(() => desk.#sync([...desk.#byImage.keys()])).catch(() => {});
    return desk;
  }

  get file(): { readonly path: string; readonly edits: number; readonly problem: string | undefined } {
    const unknown = [...this.#unknown.values()].reduce((sum, count) => sum + count, 0);
    const problem =
      this.#file.problem ??
      (unknown > 0 ? `${unknown} edits are of images or relations that this set does not have` : undefined);
    return { path: this.#file.path, edits: this.#file.edits.size, problem };
  }

  /** Reads what other servers have written. */
  async refresh(): Promise<void> {
    await this.#receive(await this.#file.refresh());
  }

  /** Returns what people said about an image. */
  reviewsOf(graph: SceneGraph): ImageReviews {
    return imageReviews(graph, this.#byImage.get(imageName(graph.image)) ?? []);
  }

  /** Returns the relations of an image with their reviews, then those that people drew. */
  relationsOf(graph: SceneGraph, matching: ReadonlySet<number> | null = null): ImageRelation[] {
    const { items } = this.reviewsOf(graph);
    const byPlace = new Map(items.flatMap(({ places, review }) => places.map((place) => [place, review] as const)));
    const drawn = items.filter(({ places }) => places.length === 0);
    return [
      ...relationsOf(graph, (place) => byPlace.get(place) ?? UNREVIEWED, matching),
      ...drawn.map(
        ({ relation, review }): ImageRelation => ({
          ...relation,
          confidence: null,
          source: 'people',
          captions: [],
          wordings: [],
          review,
          matches: true,
        }),
      ),
    ];
  }

  /**
   * Saves edits; when this returns, they are on disk.
   * @throws OptionError when an edit is of something that the set does not have; none is saved then
   */
  async save(edits: readonly NewEdit[]): Promise<EditReply> {
    await this.refresh();
    const graphs = new Map<ImageKey, SceneGraph>();
    const reviews: Review[] = [];
    for (const edit of edits) {
      const record = await this.#index.record(edit.image);
      if (!record) throw new OptionError('edits', `there is no image ${edit.image}`);
      graphs.set(edit.image, record.graph);
      reviews.push(this.#reviewOf(edit, record.graph, reviews));
      this.#keys.set(imageName(record.graph.image), edit.image);
    }
    await this.#receive(await this.#file.append(reviews));
    return {
      saved: edits.map(({ id }) => id),
      images: [...graphs].map(([key, graph]) => ({ key, relations: this.relationsOf(graph) })),
    };
  }

  /** Returns the newest edits. */
  async log(limit: number): Promise<EditLog> {
    const all = [...this.#file.edits.values()].sort(inOrder).reverse();
    const undone = undoneEdits(all);
    const newest = all.slice(0, limit);
    await this.#findKeys(newest.map(({ image }) => imageName(image)));
    const edits: SavedEdit[] = [];
    for (const review of newest) {
      const key = this.#keys.get(imageName(review.image));
      const record = key === undefined ? null : await this.#index.record(key);
      if (key === undefined || !record) continue;
      const { objects } = record.graph;
      const refOf = (relation: Review['relation']): RelationRef => ({
        subject: relation.subject.place,
        predicate: relation.predicate,
        object: relation.object?.place ?? null,
      });
      const relation = refOf(review.relation);
      edits.push({
        id: review.id,
        image: key,
        relation,
        what: review.what.action === 'change' ? { action: 'change', to: refOf(review.what.to) } : review.what,
        who: review.who,
        when: review.when,
        subject: objects[relation.subject]?.category ?? '',
        object: objects[relation.object ?? -1]?.category ?? '',
        isUndone: undone.has(review.id),
      });
    }
    return { edits, total: all.length };
  }

  /** Makes the line of an edit. Its time is later than that of every edit that the person saw. */
  #reviewOf({ id, relation, what }: NewEdit, graph: SceneGraph, earlier: readonly Review[]): Review {
    const { image, objects } = graph;
    checkRelation('relation', relation, graph);
    if (what.action === 'change') checkRelation('to', what.to, graph);
    const isKnown = this.relationsOf(graph).some((other) => isSame(other, relation));
    const isAddedNow = earlier.some(
      (other) => other.what.action === 'add' && imageName(other.image) === imageName(image),
    );
    if (what.action !== 'add' && !isKnown && !isAddedNow)
      throw new OptionError('edits', `the image ${image.file} has no such relation '${relation.predicate}'`);
    const isEdit = (edit: string) => this.#file.edits.has(edit) || earlier.some((other) => other.id === edit);
    if (what.action === 'undo' && !isEdit(what.edit))
      throw new OptionError('edits', `there is no edit ${what.edit} to undo`);
    this.#lastTime = Math.max(Date.now(), this.#lastTime + 1);
    const { dataset, file } = image;
    return {
      format: 'relflow.review/1',
      id,
      who: this.#reviewer,
      when: new Date(this.#lastTime).toISOString(),
      image: { dataset, id: image.id, file },
      relation: reviewedRelation(objects, relation),
      what: what.action === 'change' ? { action: 'change', to: reviewedRelation(objects, what.to) } : what,
    };
  }

  async #receive(reviews: readonly Review[]): Promise<void> {
    if (reviews.length === 0) return;
    await this.#sync(this.#take(reviews));
  }

  #take(reviews: readonly Review[]): string[] {
    const touched = new Set<string>();
    const latest = Date.now() + MOST_AHEAD;
    for (const review of reviews) {
      const name = imageName(review.image);
      addToList(this.#byImage, name, review);
      touched.add(name);
      this.#lastTime = Math.max(this.#lastTime, Math.min(Date.parse(review.when), latest));
    }
    return [...touched];
  }

  /** Brings the tables of reviews up to date for some images. */
  #sync(names: readonly string[]): Promise<void> {
    const next = this.#syncing.catch(() => {}).then(() => this.#write(names));
    this.#syncing = next;
    return next;
  }

  async #write(names: readonly string[]): Promise<void> {
    await this.#findKeys(names);
    for (const name of names) {
      const key = this.#keys.get(name);
      const record = key === undefined ? null : await this.#index.record(key);
      if (key !== undefined && record) this.#unknown.set(name, await this.#writeImage(key, record.graph));
      else if (this.#index.progress.done) this.#unknown.set(name, this.#byImage.get(name)?.length ?? 0);
    }
    const { count } = await this.#db.one<{ count: number }>('SELECT count(*) AS count FROM drawn');
    this.#index.hasDrawn = count > 0;
  }

  /** @returns the number of edits of relations that the image does not have */
  async #writeImage(key: ImageKey, graph: SceneGraph): Promise<number> {
    const { items, unknown } = this.reviewsOf(graph);
    const rows: string[] = [];
    const drawn: string[] = [];
    const { category, predicate, source, tagger } = this.#index.dictionaries;
    for (const { places, relation, review } of items) {
      if (places.length === 0) {
        const { subject, object } = relation;
        const [s, o] = [graph.objects[subject], graph.objects[object ?? -1]];
        const place = graph.relations.length + drawn.length;
        const ids = [
          category.add(s?.category ?? ''),
          predicate.add(relation.predicate),
          category.add(o?.category ?? ''),
        ];
        const people = [source.add('people'), tagger.add('people')];
        drawn.push(`(${[key, place, ...ids, ...people, 1, false, s?.score ?? 1, o?.score ?? 1].join(', ')})`);
        rows.push(`(${key}, ${place}, '${review.state}')`);
      } else for (const place of places) rows.push(`(${key}, ${place}, '${review.state}')`);
    }
    const statements = [`DELETE FROM reviews WHERE image = ${key}`, `DELETE FROM drawn WHERE image = ${key}`];
    if (rows.length > 0) statements.push(`INSERT INTO reviews VALUES ${rows.join(', ')}`);
    if (drawn.length > 0) statements.push(`INSERT INTO drawn VALUES ${drawn.join(', ')}`);
    await this.#db.run(['BEGIN', ...statements, 'COMMIT'].join('; '));
    return unknown.length;
  }

  async #findKeys(names: readonly string[]): Promise<void> {
    const wanted = names.filter((name) => !this.#keys.has(name));
    if (wanted.length === 0) return;
    const { alias, dictionaries } = this.#index;
    for (let from = 0; from < wanted.length; from += BATCH) {
      const batch = wanted.slice(from, from + BATCH);
      const parameters = new Parameters();
      const ids = batch.map((name) => parameters.add((JSON.parse(name) as [string, Id, string])[1].toString()));
      const rows = await this.#db.all<{ key: number; id: string; file: string; dataset: number }>(
        `SELECT key, id, file, dataset FROM ${alias}.images WHERE id IN (${ids.join(', ')}) ORDER BY key DESC`,
        parameters,
      );
      const found = new Map(
        rows.map(({ key, id, file, dataset }) => [
          imageName({ dataset: dictionaries.dataset.text(dataset), id, file }),
          key,
        ]),
      );
      for (const name of batch) {
        const key = found.get(name);
        if (key !== undefined) this.#keys.set(name, key);
      }
    }
  }
}

/** A clock that is further ahead than this is not followed, in milliseconds. */
const MOST_AHEAD = 60_000;

const isSame = (a: RelationRef, b: RelationRef) =>
  a.subject === b.subject && a.predicate === b.predicate && a.object === b.object;

function checkRelation(name: string, { subject, predicate, object }: RelationRef, { objects }: SceneGraph): void {
  for (const place of object === null ? [subject] : [subject, object])
    if (!Number.isSafeInteger(place) || objects[place] === undefined)
      throw new OptionError('edits', `${name} names object ${place}, and the image has ${objects.length}`);
  if (typeof predicate !== 'string' || predicate.trim() === '' || predicate.length > LONGEST_PREDICATE)
    throw new OptionError('edits', `${name} has no predicate of 1 to ${LONGEST_PREDICATE} characters`);
}
