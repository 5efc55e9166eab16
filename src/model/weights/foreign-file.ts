import { open } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { type ContentKind, describeContent, expectedInstead } from '../../files/json/describe-content.js';
import { isGzip } from '../../files/json/is-gzip.js';

/** Forms of weights, by the bytes at the start of a file. */
type WeightsForm = 'safetensors' | 'zip' | 'pickle';

/**
 * Returns the form of a weights file by its content; null if the content is of no known kind.
 * @throws InputError that says what the file is, if it is known to be something else
 */
export async function weightsForm(path: string): Promise<WeightsForm | null> {
  const start = await readStart(path);
  if (start.length === 0) throw new InputError(path, 'is empty, expected weights: download it again');
  if (start.length > 8 && start[8] === 0x7b && start.readBigUInt64LE() < 1n << 32n) return 'safetensors';
  if (start.toString('latin1', 0, 4) === 'PK\x03\x04') return 'zip';
  if (
    (start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5) ||
    start.toString('latin1', 0, magicText.length) === magicText
  )
    return 'pickle';
  const foreign = foreignKind(start);
  if (foreign === null) return null;
  throw new InputError(path, `is ${foreign.kind}${expectedInstead('weights', foreign.advice)}`);
}

/** PyTorch's magic number in a pickle of protocol 0 or 1. */
const magicText = 'L119547037146038801333356L';

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path).catch((cause) => {
    throw new InputError(path, 'cannot be opened', undefined, { cause });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function foreignKind(start: Buffer): ContentKind | null {
  if (isGzip(start)) return { kind: 'compressed with gzip', advice: 'unpack it with gunzip' };
  const known = describeContent(start);
  if (known) {
    const advice = otherAdvice.find(([kind]) => kind.test(known.kind));
    return advice ? { kind: known.kind, advice: advice[1] } : known;
  }
  const text = start.toString('latin1');
  if (text.startsWith('GGUF')) return { kind: 'a GGUF file', advice: 'download the weights for PyTorch' };
  if (/^\s*[[{]/.test(text) && !text.includes('\0')) return { kind: 'JSON', advice: 'weights are a file of their own' };
  if (!/[^\t\n\r -~]/.test(text)) return { kind: `the text ${JSON.stringify(text.slice(0, 60).trim())}` };
  if (/^\0+$/.test(text)) return { kind: 'filled with zeros', advice: 'download it again' };
  return null;
}

/** What to do about files that other readers convert to JSON. */
const otherAdvice: readonly (readonly [kind: RegExp, advice: string])[] = [
  [/^compressed with/, 'unpack it'],
  [/^an HDF5 file/, 'download the weights for PyTorch'],
  [/^a NumPy file/, 'save a state dict with torch.save'],
  [/^a Parquet file/, 'download the weights for PyTorch'],
];
