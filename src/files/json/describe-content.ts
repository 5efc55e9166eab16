/**
 * Names the kind of a file that is not the expected JSON, from the bytes at its start: a web page, a git-lfs pointer,
 * an archive, an image… with what to do; undefined if the kind is unknown.
 */
export function describeContent(bytes: Buffer): string | undefined {
  const start = bytes.subarray(0, 512);
  const binary = binaryKinds.find(([magic, at = 0]) =>
    start.subarray(at, at + magic.length).equals(Buffer.from(magic, 'latin1')),
  );
  if (binary) return `${binary[2]}, not JSON`;
  const text = start.toString('latin1').trimStart();
  return textKinds.find(([pattern]) => pattern.test(text))?.[1];
}

const binaryKinds: readonly (readonly [magic: string, at: number | undefined, kind: string])[] = [
  ['PK\x03\x04', 0, 'a zip archive: unpack it'],
  ['ustar', 257, 'a tar archive: unpack it'],
  ['\x28\xb5\x2f\xfd', 0, 'compressed with zstd: unpack it; only gzip is read'],
  ['BZh', 0, 'compressed with bzip2: unpack it; only gzip is read'],
  ['\xfd7zXZ\x00', 0, 'compressed with xz: unpack it; only gzip is read'],
  ['7z\xbc\xaf', 0, 'a 7z archive: unpack it'],
  ['PAR1', 0, 'a Parquet file: convert it to JSON'],
  ['\x89HDF', 0, 'an HDF5 file: convert it to JSON'],
  ['\x93NUMPY', 0, 'a NumPy file: convert it to JSON'],
  ['\x80\x02', 0, 'a Python pickle: convert it to JSON'],
  ['\x80\x03', 0, 'a Python pickle: convert it to JSON'],
  ['\x80\x04', 0, 'a Python pickle: convert it to JSON'],
  ['\x80\x05', 0, 'a Python pickle: convert it to JSON'],
  ['SQLite format 3', 0, 'an SQLite database'],
  ['%PDF', 0, 'a PDF file'],
  ['\x89PNG', 0, 'a PNG image'],
  ['\xff\xd8\xff', 0, 'a JPEG image'],
];

const textKinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [
    /^version https:\/\/git-lfs\.github\.com/,
    "a git-lfs pointer instead of the file itself: fetch the file with 'git lfs pull'",
  ],
  [
    /^<(?:!doctype html|html|head|body|!--|script|meta)/i,
    'an HTML page, not JSON: a download that failed or needs a login gives such a page',
  ],
  [/^</, 'XML, not JSON'],
  [/^[[{]+\s*'/, "Python's notation with single quotes, not JSON: write it with json.dump"],
];
