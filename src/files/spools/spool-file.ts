import { type FileHandle, open } from 'node:fs/promises';
import { OutputError } from '../../errors.js';
import { describeSystemError, withPath } from '../system-error.js';

const chunkBytes = 1024 * 1024;

/**
 * Appends blocks to a temporary file.
 * @throws OutputError if writing fails, e.g. because the disk is full
 */
export async function appendSpoolBlocks(path: string, blocks: readonly Uint8Array[]): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'a');
    const total = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    const { bytesWritten } = await file.writev(blocks);
    if (bytesWritten !== total) throw new Error(`only ${bytesWritten} of ${total} bytes were written`);
  } catch (error) {
    throw new OutputError(path, `cannot be written: ${describeSystemError(error, path) ?? (error as Error).message}`, {
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

/** Fills `into` with the beginning of a temporary file. */
export async function readSpoolStart(path: string, into: Uint8Array): Promise<void> {
  const file = await open(path);
  try {
    await readFully(file, into, 0, into.length, 0);
  } catch (error) {
    throw withPath(error, path);
  } finally {
    await file.close();
  }
}

/**
 * Reads a temporary file of frames in pieces. Each piece contains complete frames only and is valid until the next one
 * is requested.
 * @param frameBytes returns the length of the frame at an index, or Infinity if the buffered part is too short to tell
 */
export async function* readSpoolFrames(
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
      let complete = 0;
      for (let next = 0; next <= end; next = complete + frameBytes(view, complete, end)) complete = next;
      yield { view, length: complete };
      kept = end - complete;
      const target = kept * 2 > bytes.length ? new Uint8Array(bytes.length * 2) : bytes;
      target.set(bytes.subarray(complete, end));
      bytes = target;
    }
  } catch (error) {
    throw withPath(error, path);
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
