/** A trained tagger. */
export interface TaggerModel {
  /** The tags that common words can have, as bits; others have those of `possibleTags`. */
  readonly words: ReadonlyMap<string, number>;
  /** The weights of features and tags, see `weightIndex`. */
  readonly weights: Int8Array;
  /** Binary logarithm of the number of weights. */
  readonly bits: number;
}

const format = 'relflow-tagger-1';

interface Header {
  readonly format: string;
  readonly bits: number;
  /** Sorted, one string. */
  readonly words: string;
  readonly tags: readonly number[];
}

/** Encodes a model: the length of the header in bytes, the header as JSON, the weights. */
export function encodeTagger({ words, weights, bits }: TaggerModel): Uint8Array {
  const sorted = [...words].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Header = {
    format,
    bits,
    words: sorted.map(([word]) => word).join(' '),
    tags: sorted.map(([, tags]) => tags),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + text.length + weights.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), 4 + text.length);
  return bytes;
}

/**
 * Decodes a model file.
 * @throws Error for a model of another format
 */
export function decodeTagger(bytes: Uint8Array): TaggerModel {
  const start = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start))) as Header;
  if (header.format !== format) throw new Error(`tagger: format '${header.format}', expected '${format}'`);
  return {
    words: new Map(header.words.split(' ').map((word, k) => [word, header.tags[k]!])),
    weights: new Int8Array(bytes.buffer, bytes.byteOffset + start, 2 ** header.bits),
    bits: header.bits,
  };
}
