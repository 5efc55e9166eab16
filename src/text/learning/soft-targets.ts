/** What a teacher believes of an example: probabilities where the example has facts. */
export interface SoftTargets {
  /** `[tokens, 5]` */
  readonly tags: Float32Array;
  /** `[tokens, 5, 5]`: from the tag before to the tag; the first token's are zero. */
  readonly transitions: Float32Array;
  /** `[pairs, labels]` */
  readonly labels: Float32Array;
  /** By pair: over the example's verbs and prepositions. `[pairs, verbs]`, `[pairs, prepositions]` */
  readonly verb: Float32Array;
  readonly preposition: Float32Array;
  /** `[owners]` */
  readonly owners: Float32Array;
}
