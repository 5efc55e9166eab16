import { join } from 'node:path';
import PQueue from 'p-queue';
import { OptionError, OutputError } from '../../errors.js';
import { listS3 } from '../../files/s3/list-s3.js';
import { abortS3Uploads, putS3File, putS3Text, removeS3Object, statS3Object } from '../../files/s3/put-s3-file.js';
import { readS3Address, type S3Address, s3Name } from '../../files/s3/s3-address.js';
import { version } from '../../package-info.js';
import { EXPORT_MANIFEST } from './check-output-folder.js';
import type { ExportedFile } from './exported-file.js';

/** Name of the object that says that the objects next to it are of an export that is not complete. */
const INCOMPLETE = 'relflow-export.incomplete.json';

/** Objects that are written at the same time. */
const CONCURRENCY = 6;

/**
 * Checks, before any work, that an export may be written to an address: that nothing is there, or what an interrupted export
 * left, or one object that may be replaced.
 * @throws OptionError if it is not an address; OutputError if the export may not be written
 */
export async function checkStoreOutput(where: string, isFolder: boolean, overwrite: boolean): Promise<void> {
  const address = readS3Address(where);
  if (isFolder) return checkStoreFolder(where, address);
  if (address.prefix === '') throw new OptionError('export', `'${where}' has no name for the object, expected one`);
  if (!overwrite && (await statS3Object(address, '')))
    throw new OutputError(where, 'already exists; choose another name, or replace it with --overwrite');
}

async function checkStoreFolder(where: string, address: S3Address): Promise<void> {
  if (await statS3Object(address, EXPORT_MANIFEST))
    throw new OutputError(
      where,
      'already contains an export, and a store cannot replace its objects all at once; choose another prefix, or remove it',
    );
  if (await statS3Object(address, INCOMPLETE)) return;
  for await (const { path } of listS3(where, address))
    throw new OutputError(where, `contains ${path}, which no export wrote; choose another prefix`);
}

/**
 * Writes the files of an export to objects, the manifest of a folder last: an export without it is not complete. Objects that
 * an interrupted export has written with the same content are left as they are.
 * @param files the files, by their paths in the export
 * @param folder the folder that they are in; of an export of one file, that file
 * @throws OutputError if an object cannot be written, or something else is at the address
 */
export async function writeToStore(
  where: string,
  files: readonly ExportedFile[],
  { isFolder, path: folder }: { readonly isFolder: boolean; readonly path: string },
): Promise<void> {
  const address = readS3Address(where);
  await abortS3Uploads(address);
  const put = ({ path, bytes = 0, sha256 = '' }: ExportedFile) =>
    isFolder
      ? putS3File(address, path, { file: join(folder, path), bytes, sha256 })
      : putS3File(address, '', { file: folder, bytes, sha256 });
  if (!isFolder) {
    for (const file of files) await put(file);
    return;
  }
  await putS3Text(address, INCOMPLETE, `${JSON.stringify({ relflow: version })}\n`);
  const queue = new PQueue({ concurrency: CONCURRENCY });
  await queue
    .addAll(files.filter(({ path }) => path !== EXPORT_MANIFEST).map((file) => () => put(file)))
    .finally(() => queue.clear());
  await checkObjects(where, address, files);
  for (const file of files) if (file.path === EXPORT_MANIFEST) await put(file);
  await removeS3Object(address, INCOMPLETE);
}

/** Compares the objects with the files, and removes what an interrupted export with other options left. */
async function checkObjects(where: string, address: S3Address, files: readonly ExportedFile[]): Promise<void> {
  const missing = new Map(files.map(({ path, bytes }) => [path, bytes]));
  missing.delete(EXPORT_MANIFEST);
  for await (const { path, bytes } of listS3(where, address)) {
    if (path === INCOMPLETE) continue;
    const expected = missing.get(path);
    if (expected !== undefined) {
      if (bytes !== expected)
        throw new OutputError(
          s3Name(address, path),
          `has ${bytes} bytes, expected ${expected}; another process wrote it`,
        );
      missing.delete(path);
    } else if (typeof (await statS3Object(address, path))?.sha256 === 'string') await removeS3Object(address, path);
    else throw new OutputError(where, `contains ${path}, which no export wrote; choose another prefix`);
  }
  const [first] = missing.keys();
  if (first !== undefined)
    throw new OutputError(
      s3Name(address, first),
      'is not in the store after it was written; another process removed it',
    );
}
