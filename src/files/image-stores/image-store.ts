/** An image in a shard or an object store. */
export interface StoredImage {
  /** Where it is, for messages: `shards/0001.tar/a.jpg` or `s3://bucket/a.jpg`. */
  readonly name: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Differs when the content differs. */
  readonly tag: string;
  /**
   * Reads the content.
   * @throws RecordError `image-missing`, `image-changed` or `image-unreadable`; InputError when the store fails
   */
  readonly read: () => Promise<Buffer>;
  /** Reads at most the first `bytes` of the content, and throws as `read`. */
  readonly readStart: (bytes: number) => Promise<Buffer>;
}

/** An image whose content has been read, which a thread can be given. */
export interface ImageContent extends Pick<StoredImage, 'name' | 'tag'> {
  readonly content: Uint8Array;
}

/** Returns an image whose content has been read as one of a store. */
export function imageInMemory({ name, tag, content }: ImageContent): StoredImage {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return {
    name,
    tag,
    bytes: bytes.length,
    read: async () => bytes,
    readStart: async (count) => bytes.subarray(0, count),
  };
}

/** Images by their paths: those of tar shards, or below an address of an object store. */
export interface ImageStore {
  /**
   * Returns the image at a path, null if there is none.
   * @throws RecordError `ambiguous-path` if several shards have the path
   */
  readonly find: (path: string) => Promise<StoredImage | null>;
  /** Returns the paths, sorted, whose base name is similar, see `similarName`. */
  readonly similar: (name: string) => Promise<readonly string[]>;
  /** The folders that images are in, sorted; none if they are too many. */
  readonly folders: readonly string[];
}
