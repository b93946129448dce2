"""Writes a model of embeddings of a few kilobytes, as Hugging Face lays one out: BERT with one layer that passes its input on, so that a
text's vector is the mean of its words' vectors, which are random. Texts that share words are near."""
import json
import random
import struct

HIDDEN, MIDDLE, POSITIONS = 32, 32, 128
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write(folder, words):
    folder.mkdir(parents=True)
    vocabulary = SPECIAL + sorted(set(words))
    ids = {word: i for i, word in enumerate(vocabulary)}
    added = [{"id": ids[word], "special": True, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False} for word in SPECIAL]
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    special = {word: {"id": word, "ids": [ids[word]], "tokens": [word]} for word in ("[CLS]", "[SEP]")}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single,
                           "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}], "special_tokens": special},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids}}))
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN, "intermediate_size": MIDDLE, "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS, "num_attention_heads": 2, "num_hidden_layers": 1, "pad_token_id": 0, "position_embedding_type": "absolute",
        "type_vocab_size": 2, "vocab_size": len(vocabulary)}))
    (folder / "modules.json").write_text(json.dumps([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}))

    draw = random.Random(7)
    zeros = lambda *shape: (shape, [0.0] * (shape[0] * (shape[1] if len(shape) > 1 else 1)))  # noqa: E731
    ones = ((HIDDEN,), [1.0] * HIDDEN)
    tensors = {"embeddings.word_embeddings.weight": ((len(vocabulary), HIDDEN), [0.0 if i < len(SPECIAL) * HIDDEN else draw.gauss(0, 1) for i in range(len(vocabulary) * HIDDEN)]),
               "embeddings.position_embeddings.weight": zeros(POSITIONS, HIDDEN), "embeddings.token_type_embeddings.weight": zeros(2, HIDDEN),
               "embeddings.LayerNorm.weight": ones, "embeddings.LayerNorm.bias": zeros(HIDDEN)}
    layer = "encoder.layer.0."
    for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        tensors[f"{layer}{name}.weight"], tensors[f"{layer}{name}.bias"] = zeros(HIDDEN, HIDDEN), zeros(HIDDEN)
    tensors[layer + "intermediate.dense.weight"], tensors[layer + "intermediate.dense.bias"] = zeros(MIDDLE, HIDDEN), zeros(MIDDLE)
    tensors[layer + "output.dense.weight"], tensors[layer + "output.dense.bias"] = zeros(HIDDEN, MIDDLE), zeros(HIDDEN)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        tensors[f"{layer}{name}.weight"], tensors[f"{layer}{name}.bias"] = ones, zeros(HIDDEN)
    head, data = {}, b""
    for name, (shape, numbers) in tensors.items():
        raw = struct.pack(f"<{len(numbers)}f", *numbers)
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
