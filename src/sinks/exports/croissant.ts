import type { ExportContents } from './export-contents.js';
import type { ExportInput } from './export-format.js';
import type { ExportedFile } from './exported-file.js';
import type { ParquetType } from './parquet-schema.js';

/** The context of Croissant 1.0, as its specification gives it. */
const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};

/**
 * Formats the metadata of a dataset in Croissant 1.0: its files and the columns of their rows.
 *
 * Source: Croissant format specification 1.0.
 */
export function croissant(
  { about, options }: ExportInput,
  contents: ExportContents,
  columns: Readonly<Record<string, ParquetType>>,
  files: readonly ExportedFile[],
): string {
  const data = files.filter(({ path }) => path.startsWith('data/'));
  const isParquet = data.every(({ path }) => path.endsWith('.parquet'));
  const encoding = isParquet ? 'application/x-parquet' : 'application/jsonlines';
  const description = `Scene graphs with ${contents.objects} objects and ${contents.relations} relations, exported by relflow.`;
  const value = {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.0',
    // One word, as the specification wants names.
    name: about.name.replace(/[^\w-]+/g, '-') || 'relflow',
    description,
    ...(options.license !== undefined && { license: options.license }),
    version: '1.0.0',
    distribution: data.map(({ path, sha256, bytes }) => ({
      '@type': 'cr:FileObject',
      '@id': path,
      name: path,
      contentUrl: path,
      contentSize: `${bytes} B`,
      encodingFormat: encoding,
      sha256,
    })),
    recordSet: data.map(({ path }) => recordSet(path, columns)),
  };
  return `${JSON.stringify(value, null, 1)}\n`;
}

function recordSet(file: string, columns: Readonly<Record<string, ParquetType>>) {
  const id = file.replace(/^data\//, '').replace(/\.\w+$/, '');
  return {
    '@type': 'cr:RecordSet',
    '@id': id,
    name: id,
    field: Object.entries(columns).map(([name, type]) => {
      const source = { fileObject: { '@id': file }, extract: { column: name } };
      return field(`${id}/${name}`, name, type, source);
    }),
  };
}

/** Describes a column; a list of groups has a field for each member of the group. */
function field(id: string, name: string, type: ParquetType, source: Readonly<Record<string, unknown>>): object {
  const head = { '@type': 'cr:Field', '@id': id, name };
  if (typeof type === 'string') return { ...head, dataType: SCALARS[type], source };
  if ('fields' in type) return { ...head, dataType: 'sc:ImageObject', source };
  if (typeof type.list === 'string') return { ...head, dataType: SCALARS[type.list], repeated: true, source };
  if (!('fields' in type.list)) return { ...head, dataType: SCALARS['double'], source };
  return {
    ...head,
    repeated: true,
    subField: Object.entries(type.list.fields).map(([member, memberType]) => ({
      '@type': 'cr:Field',
      '@id': `${id}/${member}`,
      name: member,
      dataType: typeof memberType === 'string' ? SCALARS[memberType] : SCALARS['double'],
      repeated: true,
      source: { ...source, transform: { jsonPath: `[*].${member}` } },
    })),
  };
}

const SCALARS: Readonly<Record<string, string>> = {
  string: 'sc:Text',
  double: 'sc:Float',
  int32: 'sc:Integer',
  int64: 'sc:Integer',
};
