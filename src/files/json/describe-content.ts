/** The kind of a file that is not the expected one. */
export interface ContentKind {
  /** What the file is: `a zip archive`. */
  readonly kind: string;
  /** What to do about it; omitted if that is plain. */
  readonly advice?: string;
}

/**
 * Names the kind of a file that is not the expected JSON, from the bytes at its start: a web page, a git-lfs pointer,
 * an archive, an image…; undefined if the kind is unknown.
 */
export function describeContent(bytes: Buffer): ContentKind | undefined {
  const start = bytes.subarray(0, 512);
  const binary = binaryKinds.find(([magic, at = 0]) =>
    start.subarray(at, at + magic.length).equals(Buffer.from(magic, 'latin1')),
  );
  const text = start.toString('latin1').trimStart();
  const found = binary?.[2] ?? textKinds.find(([pattern]) => pattern.test(text))?.[1];
  if (found === undefined) return undefined;
  const [kind, advice] = found.split(': ');
  return { kind: kind!, ...(advice !== undefined && { advice }) };
}

/** Returns the end of a message about a file of another kind: what was expected, and what to do. */
export function expectedInstead(expected: string, advice: string | undefined): string {
  return `, expected ${expected}${advice === undefined ? '' : `: ${advice}`}`;
}

/** Magic bytes, their position, and the kind with the advice after a colon. */
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
  [
    'MATLAB 5.0 MAT-file',
    0,
    "a MATLAB file: convert it; HICO-DET's anno_bbox.mat is read as trainval_hico.json and test_hico.json",
  ],
  ['SQLite format 3', 0, 'an SQLite database'],
  ['%PDF', 0, 'a PDF file'],
  ['\x89PNG', 0, 'a PNG image'],
  ['\xff\xd8\xff', 0, 'a JPEG image'],
];

const textKinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [
    /^version https:\/\/git-lfs\.github\.com/,
    "a git-lfs pointer instead of the file itself: fetch it with 'git lfs pull'",
  ],
  [
    /^<(?:!doctype html|html|head|body|!--|script|meta)/i,
    'an HTML page: a download that failed or needs a login gives such a page',
  ],
  [/^</, 'XML'],
  [/^[[{]+\s*'/, "Python's notation with single quotes: write it with json.dump"],
];
