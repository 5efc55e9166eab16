import type { SceneGraph } from '../../records/scene-graph.js';
import { croissant } from './croissant.js';
import { datasetCard } from './dataset-card.js';
import { ContentsCounter } from './export-contents.js';
import type { ExportFormat, ExportInput } from './export-format.js';
import type { ExportOutput } from './export-output.js';
import { StaleStagingError } from './export-staging.js';
import { ExportedImages } from './exported-images.js';
import { NoteCounts } from './note-counts.js';
import { huggingFaceFeature, type ParquetType, parquetSchema } from './parquet-schema.js';
import { ParquetShards } from './parquet-shards.js';

/** The columns of a row but its image. */
export function graphColumns(hasNumericIds: boolean): Record<string, ParquetType> {
  return {
    image_id: hasNumericIds ? 'int64' : 'string',
    file_name: 'string',
    width: 'int32',
    height: 'int32',
    source: 'string',
    captions: { list: 'string' },
    objects: {
      list: { fields: { id: 'string', category: 'string', bbox: { list: 'double' }, score: 'double' } },
    },
    relations: {
      list: { fields: { subject: 'int32', object: 'int32', predicate: 'string', confidence: 'double' } },
    },
  };
}

/** Returns the values of a row but its image. */
export function graphRow({ image, objects, captions, relations }: SceneGraph): Record<string, unknown> {
  return {
    image_id: image.id,
    file_name: image.file,
    width: image.width,
    height: image.height,
    source: image.dataset,
    captions: captions.map(({ text }) => text),
    objects: objects.map(({ id, category, box, score }) => ({ id: String(id), category, bbox: [...box], score })),
    relations: relations.map(({ subject, object, predicate, confidence }) => ({
      subject,
      object,
      predicate,
      confidence,
    })),
  };
}

const IMAGE: ParquetType = { fields: { bytes: 'binary', path: 'string' } };

/** A folder that `datasets.load_dataset` reads: Parquet files, a dataset card and Croissant metadata. */
export const huggingFace: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'huggingface',
  summary: 'a Hugging Face dataset: Parquet with embedded images, card, Croissant',
  takes: ['images', 'imageFiles', 'license'],
  write: async (input, output) => {
    // The ids of images are numbers if all are, which only the last one shows; the first one tells mostly.
    let hasNumericIds = true;
    for (;;) {
      const written = await writeRows(input, output, hasNumericIds).catch((error: unknown) => {
        if (error instanceof StaleStagingError) return null;
        throw error;
      });
      if (written?.isComplete) {
        const { contents, columns } = written;
        await output.write('README.md', [datasetCard(input, contents, 'parquet', output.files)]);
        await output.write('croissant.json', [croissant(input, contents, columns, output.files)]);
        return;
      }
      if (written) hasNumericIds = false;
      await output.restart();
    }
  },
};

/**
 * Writes the Parquet files.
 * @returns what they contain; not complete if `hasNumericIds` and an id is not a whole number, so that they have to be written again
 * @throws StaleStagingError if an interrupted export wrote files of other graphs
 */
async function writeRows(input: ExportInput, output: ExportOutput, hasNumericIds: boolean) {
  const notes = new NoteCounts();
  const images = new ExportedImages(
    { ...input, note: (reason, example) => notes.add(reason, example) },
    output,
    'embed',
  );
  const columns = { ...(images.mode === 'embed' && { image: IMAGE }), ...graphColumns(hasNumericIds) };
  const features = Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, huggingFaceFeature(type)]));
  const metadata = { huggingface: JSON.stringify({ info: { features } }) };
  const shards = new Map<string, ParquetShards>();
  for (const split of input.splits ?? ['train'])
    shards.set(split, new ParquetShards(output, split, parquetSchema(columns), metadata));
  const counter = new ContentsCounter(input.options);
  for await (const item of input.graphs()) {
    const { graph, split } = item;
    counter.add(item);
    const shard = shards.get(split ?? 'train');
    const row = graphRow(graph);
    const key = images.mode === 'embed' ? JSON.stringify(row) : '';
    if (hasNumericIds) {
      if (typeof graph.image.id !== 'number') return { isComplete: false } as const;
      row['image_id'] = BigInt(graph.image.id);
    } else row['image_id'] = String(graph.image.id);
    if (images.mode !== 'embed') {
      const placed = await images.place(graph.image, 'images');
      if (placed !== null) row['file_name'] = placed;
      await shard?.add(row);
      continue;
    }
    const image = await images.embedded(graph.image);
    const found = await shard?.addOnce(`${key} ${image?.tag}`, async () => {
      const content = (await image?.read()) ?? null;
      const bytes = typeof content === 'string' ? null : content;
      row['image'] = bytes && { bytes, path: graph.image.file };
      const refused = typeof content === 'string' ? { reason: content, file: graph.image.file } : null;
      return { row, bytes: bytes?.length ?? 0, refused };
    });
    for (const [reason, { count, example }] of Object.entries(found ?? {})) notes.add(reason, example, count);
  }
  for (const shard of shards.values()) await shard.close();
  for (const [reason, { count, example }] of notes.counts) input.note(reason, example, count);
  return { isComplete: true, contents: counter.contents(), columns } as const;
}
