/** Ranges of caption lengths in words: phrases, sentences, and descriptions of several sentences. */
export const CAPTION_LENGTHS = [
  { words: '<=6', atMost: 6 },
  { words: '7-10', atMost: 10 },
  { words: '11-20', atMost: 20 },
  { words: '21-50', atMost: 50 },
  { words: '>50', atMost: Number.POSITIVE_INFINITY },
] as const;

/** Returns the index of a caption's range. */
export function captionLengthIndex(caption: string): number {
  const words = caption.split(/\s+/).filter((word) => word !== '').length;
  return CAPTION_LENGTHS.findIndex(({ atMost }) => words <= atMost);
}
