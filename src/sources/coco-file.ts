import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { IdMap } from '../files/id-map.js';
import { fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { type JsonBatch, streamJson } from '../files/json/stream-json.js';
import { type Group, GroupSpool, type GroupSpoolOptions } from '../files/spools/group-spool.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { SourceContext, SourceItem, SourceReject } from '../records/ports.js';
import { isReject, readAnnotation, readCategory, readImage } from './coco-elements.js';
import {
  CocoImageFiles,
  type CocoImageFilesOptions,
  type CocoImagePaths,
  type LocatedImage,
} from './coco-image-files.js';
import { checkIsNotList, otherKindOfAnnotation } from './coco-kinds.js';
import { readSpooledImage, type SpooledImage, spoolAnnotation, spoolImage, spoolMaskBox } from './coco-spool.js';
import { filterDetections } from './filter-detections.js';
import { maskBox } from './mask-box.js';
import { describeOtherFormat } from './other-formats.js';
import { unusedIds } from './unused-ids.js';

/** The differences between data sets in COCO's format. */
export interface CocoDialect extends CocoImagePaths {
  /** The name of the source. */
  readonly source: string;
  readonly dataset: string;
  /** Returns the split of a file, given its base name. */
  split(file: string): string;
  /** Returns the name of a category in records. */
  categoryName(name: string): string;
}

/** Options of `CocoFile`. */
export interface CocoFileOptions extends CocoImageFilesOptions {
  readonly dialect: CocoDialect;
  /** The maximum number of images to yield. */
  readonly limit: number;
  /** The number of items that the source yielded before this file. Default 0. */
  readonly itemsBefore?: number;
  /** The memory limits before data is written to disk, and per image. */
  readonly spool: Omit<GroupSpoolOptions, 'tempDir'>;
}

const sections = ['images', 'annotations', 'categories'];

/** Keys of annotations with long values that are not used, or only if an annotation has no box. */
const skippedKeys = ['segmentation', 'keypoints', 'segments_info'];
const skippedBesidesMasks = skippedKeys.filter((key) => key !== 'segmentation');

/**
 * Reads the records of one file in COCO's format. It first yields rejected elements in file order, then one record per
 * image in the order of `images`, then one item per image that only annotations refer to.
 */
export class CocoFile {
  readonly #file: string;
  readonly #options: CocoFileOptions;
  readonly #context: SourceContext;
  readonly #spool: GroupSpool;
  readonly #files: CocoImageFiles;
  /** Released when the file has been read, because it grows with the data set. */
  #images: IdIndex | null = new IdIndex();
  #imageCount = 0;
  #annotationCount = 0;
  readonly #rejectedImages = new IdIndex();
  /** The number of annotations of rejected images. */
  #rejectedAnnotations = 0;
  /** The number of annotations whose own id is not usable. */
  #badIds = 0;
  readonly #unknown = new IdIndex();
  readonly #unknownIds: Id[] = [];
  /** The number of annotations of each unknown image. */
  readonly #unknownCounts: number[] = [];
  readonly #categories = new IdMap<string>();
  /** The first element of `categories` that cannot be used. */
  #badCategory: unknown;
  /** True if the box of some annotation has to be that of its mask. */
  #needsMasks = false;
  /** Names of the categories, shared by the records of the file. */
  #categoryNames: readonly string[] | undefined;
  #passes = 1;
  #pass = 0;
  #yielded = 0;

  constructor(file: string, options: CocoFileOptions, context: SourceContext) {
    this.#file = file;
    this.#options = options;
    this.#context = context;
    this.#spool = new GroupSpool({ ...options.spool, tempDir: context.tempDir });
    this.#files = new CocoImageFiles(file, options);
  }

  /** The number of items yielded so far. */
  get yielded(): number {
    return this.#yielded;
  }

  /** The number of images within the limit. */
  get images(): number {
    return Math.min(this.#imageCount, this.#options.limit);
  }

  /**
   * Yields the items of the file. Call it once.
   * @throws InputError if the file cannot be read or is not in COCO's format
   */
  async *items(): AsyncGenerator<SourceItem<ImageRecord>, void, void> {
    try {
      for await (const item of this.#readOrName()) {
        this.#yielded++;
        yield item;
      }
      this.#images = null;
      this.#checkCategories();
      const { wanted } = this.#context;
      const { itemsBefore = 0 } = this.#options;
      let done = 0;
      for await (const group of this.#spool.groups()) {
        this.#context.signal.throwIfAborted();
        const position = itemsBefore + this.#yielded++;
        yield wanted?.(position) === false ? {} : await this.#item(group);
        this.#context.progress({ phase: 'records', done: ++done, total: this.images });
      }
      const counts = { 'refused-image-annotation': this.#rejectedAnnotations, 'bad-annotation-id': this.#badIds };
      for (const [name, count] of Object.entries(counts)) {
        if (count === 0) continue;
        this.#yielded++;
        yield { counts: { [name]: count } };
      }
      for (const [index, id] of this.#unknownIds.entries()) {
        this.#yielded++;
        yield unknownImage(id, this.#unknownCounts[index] ?? 0);
      }
    } finally {
      await this.#spool.close();
    }
  }

  /** Without categories every box would be dropped. */
  #checkCategories(): void {
    if (this.#categories.size > 0 || this.#annotationCount === 0) return;
    const found = this.#badCategory === undefined ? '' : `; found ${formatJsonValue(this.#badCategory)}`;
    throw new InputError(
      this.#file,
      `'categories' defines no category, but there are ${this.#annotationCount} annotations; expected [{"id": 1, "name": "person"}, …]${found}`,
    );
  }

  /** Reads the file; an error names the format of the file if it is a known one other than COCO's. */
  async *#readOrName(): AsyncGenerator<SourceItem<never>> {
    try {
      yield* this.#readFile();
    } catch (error) {
      const other = error instanceof InputError ? await describeOtherFormat(this.#file) : undefined;
      throw other === undefined ? error : new InputError(this.#file, other, undefined, { cause: error });
    }
  }

  /**
   * Reads the file. Images must be known before their annotations, so a file with annotations first is read twice.
   * Masks are read once more, and only if they are needed, because they are most of a file.
   */
  async *#readFile(): AsyncGenerator<SourceItem<never>> {
    await checkIsNotList(this.#file);
    const before = new Set<string>();
    for await (const batch of this.#batches(sections)) {
      if (batch.section === 'annotations' && !before.has('images')) {
        this.#passes = 2;
        break;
      }
      before.add(batch.section);
      yield* this.#addBatch(batch);
    }
    if (this.#passes === 2) {
      const others = sections.filter((section) => section !== 'annotations' && !before.has(section));
      for await (const batch of this.#batches(others)) yield* this.#addBatch(batch);
      this.#pass = 1;
      for await (const batch of this.#batches(['annotations'])) yield* this.#addBatch(batch);
    }
    if (this.#needsMasks) {
      this.#pass = this.#passes++;
      for await (const { values } of this.#batches(['annotations'], skippedBesidesMasks)) await this.#addMasks(values);
    }
  }

  /** Adds the boxes of masks, in the order in which their annotations were added. */
  async #addMasks(values: readonly unknown[]): Promise<void> {
    for (const value of values) {
      const annotation = readAnnotation(value, 0);
      if (isReject(annotation) || !annotation.hasMask) continue;
      const group = this.#images?.get(annotation.image);
      if (group === undefined || group >= this.#options.limit) continue;
      spoolMaskBox(this.#spool, group, maskBox(fieldsOf(value)['segmentation']));
    }
    await this.#spool.flush();
  }

  #batches(layout: readonly string[], skipped: readonly string[] = skippedKeys): AsyncIterable<JsonBatch> {
    const onRead = (done: number, total: number) =>
      this.#context.progress({ phase: 'reading', done: done + this.#pass * total, total: this.#passes * total });
    return streamJson(this.#file, { layout, skippedKeys: skipped, signal: this.#context.signal, onRead });
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
        message: `image ${image.id} occurs more than once; only the first entry is used`,
        image: image.id,
      };
    }
    this.#imageCount++;
    if (group < this.#options.limit) spoolImage(this.#spool, group, image);
    return undefined;
  }

  #addAnnotation(value: unknown, position: number): SourceReject | undefined {
    const annotation = readAnnotation(value, position);
    if (isReject(annotation)) {
      const kind = otherKindOfAnnotation(value);
      if (kind !== undefined) throw new InputError(this.#file, kind);
      return annotation;
    }
    this.#annotationCount++;
    if (annotation.hasBadId) this.#badIds++;
    const group = this.#images?.get(annotation.image);
    if (group === undefined) this.#countUnknown(annotation.image);
    else if (group < this.#options.limit) {
      if (annotation.hasMask && !this.#options.compat) this.#needsMasks = true;
      spoolAnnotation(this.#spool, group, annotation);
    }
    return undefined;
  }

  #addCategory(value: unknown, position: number): SourceReject | undefined {
    const category = readCategory(value, position);
    if (isReject(category)) {
      this.#badCategory ??= value;
      return category;
    }
    const { id, name } = category;
    if (this.#categories.has(id)) {
      return {
        reason: 'duplicate-category',
        message: `category ${id} occurs more than once; only the first entry is used`,
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
    if (!spooled) throw new Error(`the spool has no image for group ${group.number}`);
    const { id } = spooled.image;
    if (group.cut) {
      return {
        rejects: [{ reason: 'too-many-boxes', message: `image ${id}: more boxes than fit into memory`, image: id }],
      };
    }
    const located = await this.#files.find(spooled.image);
    if (!('reason' in located)) return this.#record(spooled, located);
    const annotations = spooled.annotations.length;
    return {
      rejects: [{ reason: located.reason, message: `image ${id}: ${located.problem}`, image: id }],
      ...(annotations > 0 && { counts: { 'refused-image-annotation': annotations } }),
    };
  }

  #record(
    { image, annotations }: SpooledImage,
    { file, size: { width, height }, counts: imageCounts }: LocatedImage,
  ): SourceItem<ImageRecord> {
    const { dialect, compat } = this.#options;
    const base = basename(this.#file);
    const { id } = image;
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
    this.#categoryNames ??= [...new Set(this.#categories.values())];
    const origin = { source: dialect.source, file: base };
    const record = { image: imageWithFile, detections, origin, categories: this.#categoryNames };
    const masks = this.#needsMasks ? annotations.filter(({ hasMask }) => hasMask).length : 0;
    return {
      record: rawCategories ? { ...record, rawCategories } : record,
      counts: { ...imageCounts, ...counts, ...(masks > 0 && { 'box-from-mask': masks }) },
      rejects,
    };
  }
}

/** Reports all annotations of an unknown image in one item, because there may be as many as lines in the file. */
function unknownImage(image: Id, annotations: number): SourceItem<never> {
  const referring = annotations === 1 ? '1 annotation refers' : `${annotations} annotations refer`;
  const message = `image ${image} is not in the file, but ${referring} to it`;
  return {
    rejects: [{ reason: 'unknown-image', message, image, detail: { annotations } }],
    counts: { 'unknown-image-annotation': annotations },
  };
}
