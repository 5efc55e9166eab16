/** What a finding says about one counted name of a stage. */
export interface FindingText {
  /** What is counted, in the plural: `boxes`. */
  readonly unit: string;
  /** What is the matter with them: `have a category that the file does not list`. */
  readonly problem: string;
  /** What a person can do about it. */
  readonly advice: string;
  /** Counters of the same stage that, with this one, add up to all of them. Default: the records that reach the stage. */
  readonly rest?: readonly string[];
}

/** Counters of sources that are boxes which do not become detections. */
export const droppedBoxes: Readonly<Record<string, FindingText>> = {
  'undefined-category': {
    unit: 'boxes',
    problem: 'have a category that the list of categories does not have, or none',
    advice: 'add the missing ids to `categories` of the annotation file; objects of Visual Genome need a name',
  },
  'malformed-box': {
    unit: 'boxes',
    problem: 'are not four usable numbers',
    advice: 'write each `bbox` as [x, y, width, height] in pixels',
  },
  'zero-area': {
    unit: 'boxes',
    problem: 'have no area',
    advice: 'check that `bbox` is [x, y, width, height], and not two corners',
  },
  'outside-image': {
    unit: 'boxes',
    problem: 'lie outside of their image',
    advice: 'check `width` and `height` of the images and that `bbox` is [x, y, width, height] in pixels',
  },
  crowd: {
    unit: 'boxes',
    problem: 'are marked as crowds (`iscrowd`) and dropped',
    advice: 'set `iscrowd` to 0 on boxes of single objects',
  },
};

/** Counters of sources that are boxes which became detections, with a change. */
export const changedBoxes: Readonly<Record<string, FindingText>> = {
  'far-beyond-image': {
    unit: 'boxes',
    problem: 'reach far beyond their image and were cut at its border',
    advice:
      'check that `bbox` is [x, y, width, height], and not two corners, and the `width` and `height` of the images',
  },
  'score-out-of-range': {
    unit: 'boxes',
    problem: 'have a score that is not a number from 0 to 1, and go without one',
    advice: 'write scores from 0 to 1',
  },
};

const vocabularyAdvice =
  'add words that name boxes of these images to a file of {"category": ["word", …]} and pass it with --vocabulary';

export const categoriesWithoutWords: FindingText = {
  unit: 'categories',
  problem: 'have no words in the vocabulary',
  advice:
    'add them to the file of --vocabulary, as {"category": ["word", …]}; without --compat each category has at least its name',
};

/** Counters of stages that explain missing relations. */
export const stageCounters: Readonly<Record<string, FindingText>> = {
  'relative-box': {
    unit: 'boxes',
    problem: 'are fractions of the image and were scaled to pixels',
    advice: 'check that the annotation file means fractions',
  },
  'image-not-readable': {
    unit: 'images',
    problem: 'have a file that is damaged, empty or of another format than JPEG, PNG, WebP, AVIF, TIFF and GIF',
    advice: 'replace these files, or convert them; views, exports and models that read pixels go without them',
  },
  'image-size-differs': {
    unit: 'images',
    problem: 'have a file whose width and height are not in proportion to the annotated ones',
    advice: 'check that --images is the folder of the annotated files; their boxes do not fit these pixels',
  },
  'annotated-before-rotation': {
    unit: 'images',
    problem: 'have boxes in pixels before the rotation of their EXIF orientation, and are not rotated',
    advice: 'check that these files are shown upright without rotation',
  },
  'image-found-by-name': {
    unit: 'images',
    problem: 'were found in another folder, or in another spelling, than their file names say',
    advice: 'check that these are the annotated files',
  },
  'captions-without-relation': {
    unit: 'captions',
    problem: 'state no relation between two things',
    advice: 'captions such as "a man riding a horse" do; lower --min-confidence to keep less certain ones',
  },
  'not-english': {
    unit: 'captions',
    problem: 'are in another language than English and were not read',
    advice: 'give captions in English',
  },
  'empty-caption': {
    unit: 'captions',
    problem: 'are empty',
    advice: 'check the caption file; if a model wrote them, try another --prompt or --model',
  },
  'malformed-caption': { unit: 'captions', problem: 'are not texts', advice: 'check the caption file' },
  'refused-caption': { unit: 'captions', problem: 'were refused by the model', advice: 'choose another --prompt' },
  'entities-without-category': {
    unit: 'noun phrases',
    problem: 'name no category of their image',
    advice: vocabularyAdvice,
    rest: ['entities-with-category'],
  },
  'relations-without-category': {
    unit: 'relations of captions',
    problem: 'have a subject or an object without a category',
    advice: 'see the noun phrases without a category',
    rest: ['relations-with-categories'],
  },
  'pairs-not-overlapping': {
    unit: 'candidate pairs',
    problem: 'have boxes that do not overlap',
    advice: 'leave out --overlap to keep them',
    rest: ['pairs'],
  },
  'pairs-over-limit': {
    unit: 'candidate pairs',
    problem: 'exceed the limit of pairs per image',
    advice: 'raise --max-pairs to keep them',
    rest: ['pairs'],
  },
  'images-without-pair': {
    unit: 'images',
    problem: 'have no pair of boxes that a caption relates',
    advice: 'see the lines before; `relflow inspect IMAGE OUT` shows every decision for one image',
  },
  'category-unknown-to-tagger': {
    unit: 'boxes',
    problem: 'have a category that the tagger does not know',
    advice: 'use a tagger for these categories; the other boxes are tagged',
  },
  'answers-with-problems': {
    unit: 'answers of the model',
    problem: 'name boxes or questions that it was not asked about, also when asked again; these parts are not used',
    advice: 'if they are many, try another --tagger-model, --marks drawn or the other --coordinates',
  },
  'gate-contradiction': {
    unit: 'proposed relations',
    problem: 'contradict each other and are left out',
    advice: 'if they are many, try another --proposer-model',
    rest: ['proposals'],
  },
  'below-threshold': {
    unit: 'candidate relations',
    problem: 'score at or below the threshold',
    advice: 'lower --threshold to keep more',
    rest: ['relations'],
  },
};

/** What a finding says about rejected records, by reason; other reasons get a general text. */
export const rejectTexts: Readonly<Record<string, Pick<FindingText, 'problem' | 'advice'>>> = {
  'image-too-thin': {
    problem: 'are too thin: their shorter side vanishes when the model resizes them',
    advice: 'leave them out, or cut them into pieces',
  },
  'no-captions': {
    problem: 'have no caption',
    advice: 'check that --captions is the file of these images: its keys must be their ids or file names',
  },
  'no-answer': {
    problem: 'are left out, since the model did not answer',
    advice: 'see the first message; `relflow resume` asks for the missing answers again',
  },
  'caption-refused': {
    problem: 'have no caption, since the model refused to caption them',
    advice: 'try another --prompt or --model; `relflow captions gc --useless` forgets these answers',
  },
  'caption-empty': {
    problem: 'have no caption, since the model returned an empty one',
    advice: 'try another --prompt or --model; `relflow captions gc --useless` forgets these answers',
  },
  'thoughts-only': {
    problem: 'have no caption, since the model returned only its thoughts',
    advice:
      'raise --max-tokens, or turn thinking off with --parameters or --prompt; `relflow captions gc --useless` forgets these answers',
  },
  'answer-refused': {
    problem: 'have no relations, since the model refused to answer about them',
    advice: 'try another --tagger-model; `relflow captions gc --useless` forgets these answers',
  },
  'unreadable-answer': {
    problem: 'have no relations, since the answer of the model cannot be used, also when asked again',
    advice: 'see the first message; raise --tagger-max-tokens if it was cut off, or try another --tagger-model',
  },
  'no-graphs': {
    problem: 'have no text graph',
    advice: 'check that --parsed is the file of these images: its keys must be their ids',
  },
  'image-missing': {
    problem: 'have no file in the image folder',
    advice: 'pass the folder that their file names start from with --images',
  },
  'malformed-image': { problem: 'have an entry that cannot be used', advice: 'correct the entries in `images`' },
  'unsafe-path': {
    problem: 'have a file name that is not the path of an image',
    advice: 'write file names relative to the image folder',
  },
  'ambiguous-path': {
    problem: 'have a file name that several subfolders of the image folder have',
    advice: 'write file names relative to the image folder, or pass the right subfolder with --images',
  },
  'image-size-differs': {
    problem: 'have a file whose width and height are not in proportion to the annotated ones',
    advice: 'check that --images is the folder of the annotated files',
  },
  'duplicate-image': { problem: 'have the id of another image', advice: 'give each image an id of its own' },
  'unknown-image': {
    problem: 'have annotations but are not in `images`',
    advice: 'check that `image_id` of the annotations is the `id` of an image',
  },
  'malformed-annotation': { problem: 'cannot be used', advice: 'correct the entries in `annotations`' },
  'malformed-category': { problem: 'cannot be used', advice: 'give each category an `id` and a `name`' },
  'duplicate-category': { problem: 'have the id of another one', advice: 'give each category an id of its own' },
};

/** What rejects of a source are about if not images, by the end of their reason. */
export const otherUnits: readonly (readonly [RegExp, string])[] = [
  [/-annotation$/, 'annotations'],
  [/-category$/, 'categories'],
  [/-box$/, 'boxes'],
  [/-relationship$/, 'relationships'],
  [/^unknown-image$/, 'images'],
];
