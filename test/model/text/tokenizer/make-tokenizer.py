"""Trains a small tokenizer like RoBERTa's, and writes the token ids that the reference library returns for some labels.

    pip install tokenizers transformers && python make-tokenizer.py CAPTIONS.json

CAPTIONS.json: COCO's captions, or any file of the same format. tokenizer.json was trained on the first 2,000 of val2017.
"""
import json
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

captions = [a["caption"] for a in json.load(open(sys.argv[1]))["annotations"][:2000]]
tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
tokenizer.decoder = decoders.ByteLevel()
special = ["<s>", "<pad>", "</s>", "<unk>"]
trainer = trainers.BpeTrainer(
    vocab_size=600,
    special_tokens=special + ["<mask>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(captions, trainer)
tokenizer.post_processor = processors.RobertaProcessing(
    ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
)
tokenizer.save("tokenizer.json", pretty=False)
json.dump(
    {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, "bos_token": "<s>", "eos_token": "</s>",
     "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"},
    open("tokenizer_config.json", "w"),
    indent=1,
)
labels = [
    "person", "traffic light", "no objects", "standing on", "sitting next to", "a man's hat", "T-shirt", "café",
    "naïve", "日本", "🐕", "x" * 60, "", " ", "  two  blanks", "tab\there", "in front of", "1,000", "can't", "A.B.",
]
labels += sorted({w.strip(".,").lower() for c in captions[:150] for w in c.split()})
json.dump([[t, tokenizer.encode(t).ids] for t in labels], open("token-ids.json", "w"), ensure_ascii=False)
