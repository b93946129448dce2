#!/usr/bin/env python3
"""Writes small.json: small tokenizers of every kind that a tokenizer.json can hold, and what Hugging Face's own library
makes of some texts with them. Needs `tokenizers` from PyPI:  python3 make.py > small.json"""
import json

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "The quick brown fox jumps over the lazy dog. The dog's owner didn't mind; she'd seen 12 foxes in 2024.",
    "Hello, world! Hello again, world: it is 3:45 pm, isn't it?  Two spaces, and\ttabs\nand lines.\n\nEnd.",
    "def add(a, b):\n    return a + b  # 1234567 + 89\n\nprint(add(1, 22))\n",
    "Das größte Schloß über München kostet 1.000 € — naïve café, déjà vu. Ünïcödé ÅÄÖ",
    "Привет, мир! Это тест. 世界你好,这是测试。 안녕하세요 세계 🌍🚀 ½ ² ﬁne Ａｂｃ",
] * 4
TEXTS = [
    "", " ", "Hello", " Hello", "Hello world", "  two  spaces ", "\n\n\t\n", "it's 12345 o'clock", "The dog's 3 foxes",
    "naïve café Ünïcödé ÅÄÖ", "e\u0301 a\u0308 \u1e69 \u212b ﬁ ½ Ａ", "世界你好,测试", "안녕하세요", "🌍🚀 \U0001f468\u200d\U0001f469", "x\u00a0y\u3000z",
    "CamelCase_snake-kebab a+b=c $5 <x> [y] {z} ~`^", "unseen: ψ ж ქ ☃", "a.b,c!d?", "\u200bzero\u00adwidth\ufeff", "İstanbul ΑΣ",
    "under_score ١٢٣ 12³", "<s>not a command</s> <mask> [CLS]", "tail<sp>ok  <sp>  <sp>x", "aaa" * 40,
]
MARKS = {
    "lstrip": AddedToken("<sp>", lstrip=True, rstrip=True, normalized=False),
    "word": AddedToken("ok", single_word=True, normalized=False),
}
out = []


def add(name, t, special=(), plain=()):
    t.add_special_tokens(list(special))
    t.add_tokens(list(plain))
    cases = [{"text": x, "ids": t.encode(x, add_special_tokens=False).ids} for x in TEXTS]
    out.append({"name": name, "tokenizer": json.loads(t.to_str()), "cases": cases})


def bpe(pre, norm=None, vocab=340, alphabet=(), **options):
    t = Tokenizer(models.BPE(**options))
    t.pre_tokenizer, t.normalizer = pre, norm
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=vocab, initial_alphabet=list(alphabet), show_progress=False,
                                                      special_tokens=["<unk>"] if "unk_token" in options else []))
    return t


BYTES = pre_tokenizers.ByteLevel.alphabet()
ps = pre_tokenizers
add("byte level", bpe(ps.ByteLevel(add_prefix_space=False), alphabet=BYTES), plain=[MARKS["lstrip"], MARKS["word"]])
add("byte level, space before", bpe(ps.ByteLevel(add_prefix_space=True), alphabet=BYTES))
llama3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
from tokenizers import Regex
add("split by expression, NFC", bpe(ps.Sequence([ps.Split(Regex(llama3), "isolated"), ps.ByteLevel(False, use_regex=False)]),
                                    normalizers.NFC(), alphabet=BYTES, ignore_merges=True), special=["<s>", "</s>"])
add("digits then bytes", bpe(ps.Sequence([ps.Digits(individual_digits=True), ps.ByteLevel(False)]), alphabet=BYTES))
for behaviour in ("removed", "merged_with_previous", "merged_with_next", "contiguous"):
    add(f"split {behaviour}", bpe(ps.Sequence([ps.Split(Regex(r"[a-e]|\s"), behaviour), ps.ByteLevel(False, use_regex=False)]),
                                  alphabet=BYTES, vocab=300))
add("split by text, inverted", bpe(ps.Sequence([ps.Split(" ", "removed", invert=False), ps.Split(Regex(r"\p{L}+"), "isolated", invert=True),
                                                ps.ByteLevel(False, use_regex=False)]), alphabet=BYTES, vocab=300))
spm = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
fallback = [f"<0x{i:02X}>" for i in range(256)]


def with_bytes(t):
    d = json.loads(t.to_str())
    for b in fallback:
        d["model"]["vocab"][b] = len(d["model"]["vocab"])
    d["model"]["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(d))


add("characters with bytes", with_bytes(bpe(None, spm, vocab=420, unk_token="<unk>", fuse_unk=True)), special=["<s>", "</s>"])
add("characters, unknown fused", bpe(None, spm, vocab=200, unk_token="<unk>", fuse_unk=True))
add("characters, unknown each", bpe(ps.Metaspace(), None, vocab=200, unk_token="<unk>"))
add("metaspace first", with_bytes(bpe(ps.Metaspace(prepend_scheme="first", split=False), None, vocab=300, unk_token="<unk>")),
    special=["<s>", AddedToken("<mask>", lstrip=True, normalized=False)])
add("metaspace never", bpe(ps.Metaspace(prepend_scheme="never"), None, vocab=300, unk_token="<unk>"))
add("regex replace", bpe(ps.Metaspace(), normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(),
                                                               normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]),
                         vocab=200, unk_token="<unk>"))
add("nmt nfkc", bpe(ps.WhitespaceSplit(), normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]), vocab=200, unk_token="<unk>"))


def wordpiece(norm, pre, special=("[UNK]", "[CLS]", "[SEP]")):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    t.normalizer, t.pre_tokenizer = norm, pre
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=260, special_tokens=list(special), show_progress=False))
    return t


add("bert uncased", wordpiece(normalizers.BertNormalizer(), ps.BertPreTokenizer()))
add("bert cased", wordpiece(normalizers.BertNormalizer(lowercase=False), ps.BertPreTokenizer()))
add("whitespace, punctuation", wordpiece(normalizers.NFD(), ps.Sequence([ps.Whitespace(), ps.Punctuation()])))
add("delimiter", wordpiece(None, ps.Sequence([ps.CharDelimiterSplit("-"), ps.Punctuation("merged_with_previous"), ps.WhitespaceSplit()])))


def unigram(norm, pre, byte_fallback=False):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer = norm, pre
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=260, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>",
                                                          show_progress=False))
    if byte_fallback:
        d = json.loads(t.to_str())
        d["model"]["vocab"] += [[b, 0.0] for b in fallback]
        d["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(d))
    return t


add("unigram", unigram(normalizers.NFKC(), ps.Metaspace()))
add("unigram with bytes", unigram(normalizers.Sequence([normalizers.Replace(Regex(" {2,}"), " ")]), ps.Metaspace(prepend_scheme="always"), True))
add("unigram in one piece", unigram(spm, None))

print(json.dumps({"made_by": f"tokenizers {tokenizers.__version__}", "tokenizers": out}, ensure_ascii=False, separators=(",", ":")))
