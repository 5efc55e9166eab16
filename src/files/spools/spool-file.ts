import { type FileHandle, open } from 'node:fs/promises';
import { OutputError } from '../../errors.js';

const chunkBytes = 1024 * 1024;

/**
 * Appends blocks to a temporary file.
 * @throws OutputError where writing fails, e.g. since the disk is full
 */
export async function appendBlocks(path: string, blocks: readonly Uint8Array[]): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'a');
    const total = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    const { bytesWritten } = await file.writev(blocks);
    if (bytesWritten !== total) throw new Error(`only ${bytesWritten} of ${total} bytes were written`);
  } catch (error) {
    throw new OutputError(path, `can't be written: ${(error as Error).message}`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** Reads the beginning of a temporary file, as much of it as `into` holds. */
export async function readStart(path: string, into: Uint8Array): Promise<void> {
  const file = await open(path);
  try {
    await readFully(file, into, 0, into.length, 0);
  } finally {
    await file.close();
  }
}

/**
 * A temporary file of frames, piece by piece: each piece holds whole frames only, and is valid until the next one.
 * @param frameBytes length of the frame that starts at an index, or Infinity where too little of it is there to say
 */
export async function* readFrames(
  path: string,
  frameBytes: (view: DataView, at: number, end: number) => number,
): AsyncGenerator<{ view: DataView; length: number }, void, void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let bytes = new Uint8Array(chunkBytes);
    let kept = 0;
    for (let position = 0; position < size; ) {
      const length = Math.min(bytes.length - kept, size - position);
      await readFully(file, bytes, kept, length, position);
      position += length;
      const view = new DataView(bytes.buffer);
      const end = kept + length;
      let whole = 0;
      for (let next = 0; next <= end; next = whole + frameBytes(view, whole, end)) whole = next;
      yield { view, length: whole };
      kept = end - whole;
      const target = kept * 2 > bytes.length ? new Uint8Array(bytes.length * 2) : bytes;
      target.set(bytes.subarray(whole, end));
      bytes = target;
    }
  } finally {
    await file.close();
  }
}

async function readFully(
  file: FileHandle,
  into: Uint8Array,
  at: number,
  length: number,
  position: number,
): Promise<void> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(into, at + done, length - done, position + done);
    if (bytesRead === 0) throw new Error('a temporary file is shorter than what was written to it');
    done += bytesRead;
  }
}
