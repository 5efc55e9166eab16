import type { ParquetWriter } from 'hyparquet-writer';

/** An element of a Parquet schema, as the library takes it. */
export type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** The type of a column: a scalar, a list, or a group of named columns. */
export type ParquetType =
  | 'string'
  | 'binary'
  | 'int32'
  | 'int64'
  | 'double'
  | { readonly list: ParquetType }
  | { readonly fields: Readonly<Record<string, ParquetType>> };

const SCALARS: Readonly<Record<string, Partial<SchemaElement>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  binary: { type: 'BYTE_ARRAY' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
};

/** Makes the elements of a Parquet schema, the root first, in which every value may be missing. */
export function parquetSchema(columns: Readonly<Record<string, ParquetType>>): SchemaElement[] {
  return [
    { name: 'schema', num_children: Object.keys(columns).length },
    ...Object.entries(columns).flatMap(([name, type]) => elements(name, type)),
  ];
}

function elements(name: string, type: ParquetType): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' as const };
  if (typeof type === 'string') return [{ ...optional, ...SCALARS[type] }];
  if ('list' in type)
    return [
      { ...optional, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elements('element', type.list),
    ];
  const fields = Object.entries(type.fields);
  return [
    { ...optional, num_children: fields.length },
    ...fields.flatMap(([field, fieldType]) => elements(field, fieldType)),
  ];
}

/**
 * Describes a column as Hugging Face's `datasets` does in the metadata of a file.
 * @param type the column's type; an image has the fields `bytes` and `path`
 */
export function huggingFaceFeature(type: ParquetType): unknown {
  if (typeof type === 'string') return { dtype: type === 'double' ? 'float64' : type, _type: 'Value' };
  if ('list' in type) return [huggingFaceFeature(type.list)];
  const { fields } = type;
  if ('bytes' in fields && 'path' in fields) return { _type: 'Image' };
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, huggingFaceFeature(field)]));
}
