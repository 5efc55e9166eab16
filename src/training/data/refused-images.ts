/** What a person can do about images that a training refuses, by reason. */
const advice: Readonly<Record<string, string>> = {
  'image-missing': "check that `images` is the folder that the files' names start from",
  'image-unreadable': 'replace the damaged files',
  'image-too-thin': 'leave them out, or cut them into pieces',
  'unsafe-path': 'write file names relative to the image folder',
  'no-objects': 'check that their boxes lie inside the images and have an area',
  'no-relations': 'lower `relationThreshold` if their relations have low scores; else they have nothing to train on',
  schema: '`relflow validate FILE` names the lines',
};

/** Describes refused images by reason, most frequent first, with what to do: `2 image-missing (check …), 1 no-relations (…)`. */
export function refusedImages(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, count]) => {
      const what = advice[reason];
      return `${count.toLocaleString('en-US')} ${reason}${what === undefined ? '' : ` (${what})`}`;
    })
    .join(', ');
}
