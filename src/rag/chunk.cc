#include "rag/chunk.h"

#include <algorithm>

#include "base/text.h"

namespace ajar::rag {
namespace {

// What is not cut while it fits: a sentence, a row, a heading.
struct Unit {
  uint32_t begin, end, page;
  size_t tokens;
  size_t block;
  bool heading, starts_block;
};

// A sentence longer than a chunk, cut between words, or between characters where there are no words.
void add_long(std::string_view text, Unit unit, const ChunkOptions& options, std::vector<Unit>& out) {
  // Bytes for a budget, from the sentence's own rate; at least a few, so that it ends.
  const size_t bytes = std::max<size_t>(16, (unit.end - unit.begin) * options.tokens / std::max<size_t>(1, unit.tokens + unit.tokens / 8));
  for (uint32_t at = unit.begin; at < unit.end;) {
    size_t to = std::min<size_t>(unit.end, at + bytes);
    if (to < unit.end) {
      const size_t space = text.substr(at, to - at).find_last_of(" \n");
      if (space != std::string_view::npos && space > 0) to = at + space + 1;
      else while (to > at + 1 && (static_cast<unsigned char>(text[to]) & 0xC0) == 0x80) --to;
    }
    Unit part = unit;
    part.begin = at, part.end = static_cast<uint32_t>(to), part.tokens = options.count(text.substr(at, to - at));
    part.starts_block = unit.starts_block && at == unit.begin;
    out.push_back(part);
    at = static_cast<uint32_t>(to);
  }
}

std::vector<Unit> units_of(const Extracted& document, const ChunkOptions& options) {
  std::vector<Unit> out;
  const std::string_view text = document.text;
  for (size_t b = 0; b < document.blocks.size(); ++b) {
    const Block& block = document.blocks[b];
    const std::string_view all = text.substr(block.begin, block.end - block.begin);
    std::vector<Span> parts;
    if (block.kind == Block::Kind::kParagraph || block.kind == Block::Kind::kCode) parts = sentences(all);
    else parts = {{0, static_cast<uint32_t>(all.size())}};
    bool first = true;
    for (const Span& part : parts) {
      Unit unit{block.begin + part.begin, block.begin + part.end, block.page, 0, b, block.kind == Block::Kind::kHeading, first};
      unit.tokens = options.count(text.substr(unit.begin, unit.end - unit.begin));
      first = false;
      if (unit.tokens > options.tokens) add_long(text, unit, options, out);
      else out.push_back(unit);
    }
  }
  return out;
}

}  // namespace

std::vector<Chunk> make_chunks(const Extracted& document, const ChunkOptions& options) {
  std::vector<Chunk> chunks;
  std::vector<std::pair<int, std::string>> path;  // headings above, by level
  size_t used = 0, parent_used = 0, parent_first = 0;
  bool only_headings = true;
  const auto headings = [&] {
    std::string all;
    for (const auto& [level, text] : path) all += (all.empty() ? "" : " > ") + text.substr(0, 120);
    return all;
  };
  const auto close_parent = [&] {
    for (size_t i = parent_first; i < chunks.size(); ++i) chunks[i].parent_begin = chunks[parent_first].begin, chunks[i].parent_end = chunks.back().end;
    parent_first = chunks.size(), parent_used = 0;
  };
  const std::vector<Unit> units = units_of(document, options);
  for (size_t u = 0; u < units.size(); ++u) {
    const Unit& unit = units[u];
    // A paragraph that fits whole into the next chunk is not cut for the rest of this one, when this one is half full.
    size_t whole = unit.tokens;
    if (unit.starts_block)
      for (size_t next = u + 1; next < units.size() && units[next].block == unit.block && whole <= options.tokens; ++next) whole += units[next].tokens;
    const bool full = used + unit.tokens > options.tokens || (unit.starts_block && used * 2 >= options.tokens && whole <= options.tokens && used + whole > options.tokens);
    const bool section = unit.heading && unit.starts_block && !only_headings;
    const Block& block = document.blocks[unit.block];
    if (unit.heading && unit.starts_block)
      while (!path.empty() && path.back().first >= block.level) path.pop_back();
    if (chunks.empty() || full || section) {
      if (section || parent_used + unit.tokens > options.parent_tokens) close_parent();
      chunks.push_back({.begin = unit.begin, .end = unit.end, .page = unit.page, .headings = headings()});
      used = 0, only_headings = true;
    }
    if (unit.heading) {
      chunks.back().heads.push_back({unit.begin, unit.end});
      if (unit.starts_block) path.emplace_back(block.level, document.text.substr(block.begin, block.end - block.begin));
    } else {
      only_headings = false;
    }
    chunks.back().end = unit.end;
    used += unit.tokens, parent_used += unit.tokens;
  }
  close_parent();
  // Side by side: the space between two belongs to the first.
  for (size_t i = 0; i + 1 < chunks.size(); ++i) chunks[i].end = chunks[i + 1].begin;
  if (!chunks.empty()) chunks.front().begin = 0, chunks.back().end = static_cast<uint32_t>(document.text.size());
  for (size_t i = 0, first = 0; i < chunks.size(); ++i) {
    const bool last = i + 1 == chunks.size() || chunks[i + 1].parent_begin != chunks[i].parent_begin;
    if (!last) continue;
    for (size_t j = first; j <= i; ++j) chunks[j].parent_begin = chunks[first].begin, chunks[j].parent_end = chunks[i].end;
    first = i + 1;
  }
  for (Chunk& chunk : chunks)
    for (Span& head : chunk.heads) head.begin -= chunk.begin, head.end -= chunk.begin;
  return chunks;
}

std::string write_spans(const std::vector<Span>& spans) {
  std::string out;
  for (const Span& span : spans) out += (out.empty() ? "" : ",") + std::to_string(span.begin) + "-" + std::to_string(span.end);
  return out;
}

std::vector<Span> read_spans(std::string_view text) {
  std::vector<Span> out;
  for (const std::string_view part : split(text, ',')) {
    const auto ends = split(part, '-');
    if (ends.size() != 2) continue;
    const auto begin = parse_int(ends[0]), end = parse_int(ends[1]);
    if (begin && end && *begin >= 0 && *begin < *end && *end <= UINT32_MAX) out.push_back({static_cast<uint32_t>(*begin), static_cast<uint32_t>(*end)});
  }
  return out;
}

std::string indexed_text(std::string_view title, std::string_view headings, std::string_view text, std::string_view context) {
  std::string out(title);
  if (!headings.empty() && headings != title) (out += out.empty() ? "" : "\n") += headings;
  if (!context.empty()) (out += out.empty() ? "" : "\n") += context;
  (out += out.empty() ? "" : "\n") += text;
  return out;
}

}  // namespace ajar::rag
