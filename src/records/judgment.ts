import { type Static, Type } from './type.js';

export const JudgmentSchema = Type.Object(
  {
    caption: Type.String({ minLength: 1 }),
    triplet: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'a relation in the form `( man , ride , horse )`; empty for a caption without',
      }),
    ),
    judgment: Type.Optional(
      Type.Union([Type.Literal('right'), Type.Literal('wrong'), Type.Literal('missed')], {
        description:
          'right: the caption says it; wrong: it does not; missed: the caption says it, and the judged parser did not find it; empty: not judged yet',
      }),
    ),
    error: Type.Optional(
      Type.String({ minLength: 1, description: 'kind of a wrong or missed triplet, e.g. negation, attachment, list' }),
    ),
  },
  {
    title: 'Judgment',
    description:
      'One row of a CSV file for `relflow evaluate parser` with the columns caption, triplet, judgment and, if wanted, error. Empty fields are omitted; other columns are ignored.',
  },
);
/** The judgment of a person about one triplet of a caption. */
export type Judgment = Static<typeof JudgmentSchema>;
