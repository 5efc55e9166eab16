import type { SceneGraph } from '../../records/scene-graph.js';
import { croissant } from './croissant.js';
import { datasetCard } from './dataset-card.js';
import { ContentsCounter } from './export-contents.js';
import type { ExportFormat, ExportInput } from './export-format.js';
import type { ExportOutput } from './export-output.js';
import { ExportedImages } from './exported-images.js';
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
    const images = new ExportedImages(input, output, 'embed');
    // The ids of images are numbers if all are, which only the last one shows; the first one tells mostly.
    const types = (await writeRows(input, output, images, true)) ?? (await writeRows(input, output, images, false));
    const { contents, columns } = types as NonNullable<typeof types>;
    await output.write('README.md', [datasetCard(input, contents, 'parquet', output.files)]);
    await output.write('croissant.json', [croissant(input, contents, columns, output.files)]);
  },
};

/**
 * Writes the Parquet files.
 * @returns what they contain; null if `hasNumericIds` and an id is not a whole number, so that they have to be written again
 */
async function writeRows(input: ExportInput, output: ExportOutput, images: ExportedImages, hasNumericIds: boolean) {
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
    const row = graphRow(graph);
    if (hasNumericIds) {
      if (typeof graph.image.id !== 'number') return null;
      row['image_id'] = BigInt(graph.image.id);
    } else row['image_id'] = String(graph.image.id);
    const bytes = await images.content(graph.image);
    if (images.mode === 'embed') row['image'] = bytes && { bytes, path: graph.image.file };
    const placed = await images.place(graph.image, 'images');
    if (placed !== null) row['file_name'] = placed;
    await shards.get(split ?? 'train')?.add(row, bytes?.length);
  }
  for (const shard of shards.values()) await shard.close();
  return { contents: counter.contents(), columns };
}
