import { basename } from 'node:path';
import { findImage } from '../files/image-folder.js';
import { type JsonBatch, streamJson } from '../files/json/stream-json.js';
import { type Group, GroupSpool, type GroupSpoolOptions } from '../files/spools/group-spool.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { SourceContext, SourceItem, SourceReject } from '../records/ports.js';
import { isReject, readAnnotation, readCategory, readImage } from './coco-elements.js';
import { readSpooledImage, type SpooledImage, spoolAnnotation, spoolImage } from './coco-spool.js';
import { filterDetections } from './filter-detections.js';
import { unusedIds } from './unused-ids.js';

/** How sets in COCO's format differ. */
export interface CocoDialect {
  /** Name of the source. */
  readonly source: string;
  readonly dataset: string;
  /** The split that a file holds, by its base name. */
  split(file: string): string;
  /** Paths below the image folder where an image's file may be; the first one is the usual one. */
  imageFiles(fileName: string): readonly [string, ...string[]];
  /** The category's name in records. */
  categoryName(name: string): string;
}

/** What is made of a file in COCO's format. */
export interface CocoFileOptions {
  readonly dialect: CocoDialect;
  /** The image folder, where the images' files must be there. */
  readonly images: string | undefined;
  readonly compat: boolean;
  /** How many images to yield at most. */
  readonly limit: number;
  /** How many items the source yielded before this file; 0 unless given. */
  readonly itemsBefore?: number;
  /** How much may be held in memory before it is spilled, and how much of one image at all. */
  readonly spool: Omit<GroupSpoolOptions, 'tempDir'>;
}

const sections = ['images', 'annotations', 'categories'];

/** Keys of annotations whose values are long and of no use here. */
const skippedKeys = ['segmentation', 'keypoints', 'segments_info'];

/**
 * The records of one file in COCO's format. First come the elements that are of no use, in file order; then a record an
 * image, in the order of `images`; then an item for each image that only annotations know.
 */
export class CocoFile {
  readonly #file: string;
  readonly #options: CocoFileOptions;
  readonly #context: SourceContext;
  readonly #spool: GroupSpool;
  /** Let go of when the file has been read, for it grows with the set. */
  #images: IdIndex | null = new IdIndex();
  #imageCount = 0;
  readonly #rejectedImages = new IdIndex();
  /** How many annotations belong to images that were refused. */
  #rejectedAnnotations = 0;
  readonly #unknown = new IdIndex();
  readonly #unknownIds: Id[] = [];
  /** How many annotations each unknown image has. */
  readonly #unknownCounts: number[] = [];
  readonly #categories = new Map<Id, string>();
  #passes = 1;
  #pass = 0;
  #yielded = 0;

  constructor(file: string, options: CocoFileOptions, context: SourceContext) {
    this.#file = file;
    this.#options = options;
    this.#context = context;
    this.#spool = new GroupSpool({ ...options.spool, tempDir: context.tempDir });
  }

  /** How many items it has yielded. */
  get yielded(): number {
    return this.#yielded;
  }

  /** How many images were within the limit. */
  get images(): number {
    return Math.min(this.#imageCount, this.#options.limit);
  }

  /**
   * To be called once.
   * @throws InputError where the file can't be read as COCO's format
   */
  async *items(): AsyncGenerator<SourceItem<ImageRecord>, void, void> {
    try {
      for await (const item of this.#readFile()) {
        this.#yielded++;
        yield item;
      }
      this.#images = null;
      const { wanted } = this.#context;
      const { itemsBefore = 0 } = this.#options;
      let done = 0;
      for await (const group of this.#spool.groups()) {
        this.#context.signal.throwIfAborted();
        const position = itemsBefore + this.#yielded++;
        yield wanted?.(position) === false ? {} : await this.#item(group);
        this.#context.progress({ phase: 'records', done: ++done, total: this.images });
      }
      if (this.#rejectedAnnotations > 0) {
        this.#yielded++;
        yield { counts: { 'refused-image-annotation': this.#rejectedAnnotations } };
      }
      for (const [index, id] of this.#unknownIds.entries()) {
        this.#yielded++;
        yield unknownImage(id, this.#unknownCounts[index] ?? 0);
      }
    } finally {
      await this.#spool.close();
    }
  }

  /** Reads the file; annotations must find their images, so a file that has its images later is read twice. */
  async *#readFile(): AsyncGenerator<SourceItem<never>> {
    const before = new Set<string>();
    for await (const batch of this.#batches(sections)) {
      if (batch.section === 'annotations' && !before.has('images')) {
        this.#passes = 2;
        break;
      }
      before.add(batch.section);
      yield* this.#addBatch(batch);
    }
    if (this.#passes === 1) return;
    const others = sections.filter((section) => section !== 'annotations' && !before.has(section));
    for await (const batch of this.#batches(others)) yield* this.#addBatch(batch);
    this.#pass = 1;
    for await (const batch of this.#batches(['annotations'])) yield* this.#addBatch(batch);
  }

  #batches(layout: readonly string[]): AsyncIterable<JsonBatch> {
    const onRead = (done: number, total: number) =>
      this.#context.progress({ phase: 'reading', done: done + this.#pass * total, total: this.#passes * total });
    return streamJson(this.#file, { layout, skippedKeys, signal: this.#context.signal, onRead });
  }

  async *#addBatch({ section, first, values }: JsonBatch): AsyncGenerator<SourceItem<never>> {
    const add =
      section === 'images' ? this.#addImage : section === 'annotations' ? this.#addAnnotation : this.#addCategory;
    for (const [index, value] of values.entries()) {
      const reject = add.call(this, value, first + index);
      if (reject) yield { rejects: [reject] };
    }
    await this.#spool.flush();
  }

  #addImage(value: unknown, position: number): SourceReject | undefined {
    const image = readImage(value, position);
    if (isReject(image)) {
      if (image.image !== undefined) this.#rejectedImages.add(image.image);
      return image;
    }
    const group = this.#images?.add(image.id);
    if (group === undefined) {
      return {
        reason: 'duplicate-image',
        message: `image ${image.id} occurs twice; the first one stays`,
        image: image.id,
      };
    }
    this.#imageCount++;
    if (group < this.#options.limit) spoolImage(this.#spool, group, image);
    return undefined;
  }

  #addAnnotation(value: unknown, position: number): SourceReject | undefined {
    const annotation = readAnnotation(value, position);
    if (isReject(annotation)) return annotation;
    const group = this.#images?.get(annotation.image);
    if (group === undefined) this.#countUnknown(annotation.image);
    else if (group < this.#options.limit) spoolAnnotation(this.#spool, group, annotation);
    return undefined;
  }

  #addCategory(value: unknown, position: number): SourceReject | undefined {
    const category = readCategory(value, position);
    if (isReject(category)) return category;
    const { id, name } = category;
    if (this.#categories.has(id)) {
      return {
        reason: 'duplicate-category',
        message: `category ${id} occurs twice; the first one stays`,
        detail: { category: id },
      };
    }
    this.#categories.set(id, this.#options.dialect.categoryName(name));
    return undefined;
  }

  #countUnknown(image: Id): void {
    if (this.#rejectedImages.get(image) !== undefined) {
      this.#rejectedAnnotations++;
      return;
    }
    const known = this.#unknown.get(image);
    if (known !== undefined) this.#unknownCounts[known]!++;
    else if (this.#unknown.add(image) !== undefined) {
      this.#unknownIds.push(image);
      this.#unknownCounts.push(1);
    }
  }

  async #item(group: Group): Promise<SourceItem<ImageRecord>> {
    const spooled = readSpooledImage(group);
    if (!spooled) throw new Error(`the spool lost image ${group.number}`);
    const { id, fileName } = spooled.image;
    if (group.cut) {
      return {
        rejects: [{ reason: 'too-many-boxes', message: `image ${id}: more boxes than fit into memory`, image: id }],
      };
    }
    const candidates = this.#options.dialect.imageFiles(fileName);
    const file = await findImage(this.#options.images, candidates);
    if (file === null) {
      const message = `image ${id}: no file ${candidates.join(' or ')} in the image folder`;
      return { rejects: [{ reason: 'image-missing', message, image: id }] };
    }
    return this.#record(spooled, file);
  }

  #record({ image, annotations }: SpooledImage, file: string): SourceItem<ImageRecord> {
    const { dialect, compat } = this.#options;
    const base = basename(this.#file);
    const { id, width, height } = image;
    const imageWithFile = { id, file, width, height, dataset: dialect.dataset, split: dialect.split(base) };
    const nextUnusedId = unusedIds(annotations);
    const raw = annotations.map(({ id, category, box, crowd, score }) => ({
      id: id ?? nextUnusedId(),
      category: this.#categories.get(category) ?? null,
      box,
      crowd,
      score,
    }));
    const { detections, counts, rejects, rawCategories } = filterDetections(raw, imageWithFile, compat);
    const record = { image: imageWithFile, detections, origin: { source: dialect.source, file: base } };
    return { record: rawCategories ? { ...record, rawCategories } : record, counts, rejects };
  }
}

/** Annotations without an image are reported together: there may be as many as lines in the file. */
function unknownImage(image: Id, annotations: number): SourceItem<never> {
  const message = `image ${image} is not in the file, but ${annotations} of its annotations are`;
  return {
    rejects: [{ reason: 'unknown-image', message, image, detail: { annotations } }],
    counts: { 'unknown-image-annotation': annotations },
  };
}
