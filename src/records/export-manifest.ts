import { Sha256Schema } from './manifest.js';
import { type Static, Type } from './type.js';

const CountSchema = Type.Integer({ minimum: 0 });

export const ExportManifestSchema = Type.Object(
  {
    format: Type.Literal('relflow.export/1'),
    relflow: Type.String({ description: 'version' }),
    export: Type.String({ description: 'name of the format' }),
    options: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
    images: CountSchema,
    relations: CountSchema,
    notes: Type.Unsafe<Record<string, number>>({
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 1 },
      description: 'what the format cannot carry as it is, counted by name',
    }),
    files: Type.Array(
      Type.Object(
        {
          path: Type.String({
            minLength: 1,
            description: 'relative to the folder, with forward slashes; a link to an image has no size',
          }),
          bytes: Type.Optional(CountSchema),
          sha256: Type.Optional(Sha256Schema),
        },
        { additionalProperties: false },
      ),
    ),
  },
  {
    additionalProperties: false,
    title: 'Export manifest',
    description: 'relflow-export.json: what a folder made by `relflow export` or `relflow convert` contains.',
  },
);
/** A record of the files of an exported folder. */
export type ExportManifest = Static<typeof ExportManifestSchema>;
