#!/usr/bin/env python3
"""Writes spm.json: small SentencePiece models as GGUF holds them, and what SentencePiece itself makes of some texts. Needs
`sentencepiece` and `protobuf` from PyPI:  python3 make_spm.py > spm.json"""
import base64
import io
import json
import re
import tempfile

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

source = open("make.py", encoding="utf-8").read()
scope = {}
exec(re.search(r"CORPUS = \[.*?\] \* 4", source, re.S).group(0), scope)
exec(re.search(r"TEXTS = \[.*?\n\]", source, re.S).group(0), scope)
# What becomes what, in code points: a small table has a small trie.
RULES = "\n".join(["FB01\t66 69", "FF21\t41", "FF41\t61", "BD\t31 2044 32", "3000\t20", "A0\t20", "9\t20", "A\t20", "D\t20", "E9\t65",
                   "65 301\t65", "1E69\t73", "AD\t", "200B\t20", "FEFF\t", "212B\tC5", "4E16 754C\t57"]) + "\n"
rules = tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False)
rules.write(RULES)
rules.close()
out = []
for name, kind, more in (("unigram", "unigram", {}), ("unigram with bytes", "unigram", {"byte_fallback": True, "vocab_size": 480}),
                         ("unigram, spaces kept", "unigram", {"remove_extra_whitespaces": False, "add_dummy_prefix": False}),
                         ("bpe", "bpe", {"byte_fallback": True, "vocab_size": 500, "remove_extra_whitespaces": False})):
    model = io.BytesIO()
    options = {"vocab_size": 220, "hard_vocab_limit": False, "character_coverage": 0.98, "minloglevel": 2, **more}
    if kind == "unigram":
        options["normalization_rule_tsv"] = rules.name
    else:
        options["normalization_rule_name"] = "identity"
    spm.SentencePieceTrainer.train(sentence_iterator=iter(scope["CORPUS"]), model_writer=model, model_type=kind, **options)
    proto = pb.ModelProto()
    proto.ParseFromString(model.getvalue())
    processor = spm.SentencePieceProcessor(model_proto=model.getvalue())
    types = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6}
    out.append({
        "name": name, "model": "t5" if kind == "unigram" else "llama", "tokens": [p.piece for p in proto.pieces],
        "scores": [p.score for p in proto.pieces], "types": [types[p.type] for p in proto.pieces],
        "charsmap": base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode(),
        "add_space_prefix": proto.normalizer_spec.add_dummy_prefix,
        "remove_extra_whitespaces": proto.normalizer_spec.remove_extra_whitespaces,
        "cases": [{"text": t, "ids": processor.encode(t)} for t in scope["TEXTS"]],
    })
print(json.dumps({"made_by": f"sentencepiece {spm.__version__}", "models": out}, ensure_ascii=False, separators=(",", ":")))
