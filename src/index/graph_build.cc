// Making a graph: rows come in in the order of a shuffle, a thousand at a time. Each looks for its neighbours among those that are
// there, keeps the near ones that are not nearer to each other than to it, and is added to their lists. The result does not depend on
// how many threads took part.

#include <atomic>
#include <cstring>
#include <thread>

#include "index/graph_walk.h"

namespace ajar::index {
namespace {

constexpr size_t kAtOnce = 1000;

// f(i) for 0..n-1 by some threads.
template <class F>
void each_of(size_t n, unsigned threads, F f) {
  if (threads <= 1 || n < 2) {
    for (size_t i = 0; i < n; ++i) f(i);
    return;
  }
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < n;) f(i);
  };
  std::vector<std::jthread> others;
  for (unsigned t = 1; t < threads; ++t) others.emplace_back(work);
  work();
}

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

CodedQuery query_of(const VectorSegment& segment, uint32_t place) {
  CodedQuery query{.codes = std::vector<int8_t>(segment.stride()), .scale = segment.scale(place)};
  const uint8_t* codes = segment.codes(place);
  for (size_t d = 0; d < query.codes.size(); ++d) query.codes[d] = static_cast<int8_t>(codes[d] ^ 0x80);
  return query;
}

}  // namespace

GraphBuilder::GraphBuilder(std::shared_ptr<const VectorSegment> segment, GraphOptions options)
    : segment_(std::move(segment)), options_(options), room_(options.degree + std::max(1u, options.degree / 3)) {}

// `others` with their nearness to a place, the best first.
std::vector<GraphBuilder::Near> GraphBuilder::scored(uint32_t place, std::span<const uint32_t> others) const {
  const CodedQuery query = query_of(*segment_, place);
  std::vector<int32_t> dots(others.size());
  dot_kernels().front().dots_at(segment_->codes(0), others.data(), others.size(), segment_->stride(), query.codes.data(), dots.data());
  std::vector<Near> out(others.size());
  for (size_t i = 0; i < others.size(); ++i) out[i] = {static_cast<float>(dots[i]) * segment_->scale(others[i]) * query.scale, others[i]};
  std::sort(out.begin(), out.end(), [](const Near& a, const Near& b) { return a.score != b.score ? a.score > b.score : a.place < b.place; });
  return out;
}

std::vector<GraphBuilder::Near> GraphBuilder::candidates_of(uint32_t place) const {
  thread_local Walk walk;
  const CodedQuery query = query_of(*segment_, place);
  const DotKernel& kernel = dot_kernels().front();
  const auto entries = nearest_pivots(*segment_, query, pivots_, pivot_codes_, kernel);
  (void)walk.run(*segment_, {links_.data(), room_}, segment_->rows(), query, entries, options_.building, UINT64_MAX, nullptr, kernel);
  std::vector<Near> out;
  for (const Walk::Near& one : walk.found()) out.push_back({one.score, one.place});
  return out;
}

// Of candidates, best first: the nearest, then each that is not much nearer to one that is kept than to `place`.
std::vector<uint32_t> GraphBuilder::prune(uint32_t place, std::vector<Near> candidates) const {
  std::erase_if(candidates, [&](const Near& one) { return one.place == place; });
  std::vector<uint32_t> kept;
  std::vector<uint32_t> rest;
  std::vector<int32_t> dots;
  const DotKernel& kernel = dot_kernels().front();
  while (!candidates.empty() && kept.size() < options_.degree) {
    const Near best = candidates.front();
    kept.push_back(best.place);
    rest.clear();
    for (size_t i = 1; i < candidates.size(); ++i) rest.push_back(candidates[i].place);
    if (rest.empty()) break;
    dots.resize(rest.size());
    const CodedQuery query = query_of(*segment_, best.place);
    kernel.dots_at(segment_->codes(0), rest.data(), rest.size(), segment_->stride(), query.codes.data(), dots.data());
    size_t left = 0;
    for (size_t i = 0; i < rest.size(); ++i) {
      const Near one = candidates[i + 1];
      const float between = static_cast<float>(dots[i]) * segment_->scale(one.place) * query.scale;
      // Squared distances of unit vectors are 2 - 2 * score.
      if (options_.slack * (1 - between) < 1 - one.score) continue;
      candidates[left++] = one;
    }
    candidates.resize(left);
  }
  return kept;
}

void GraphBuilder::set_links(uint32_t place, std::span<const uint32_t> neighbours) {
  uint32_t* list = &links_[size_t{place} * room_];
  std::fill(std::copy(neighbours.begin(), neighbours.end(), list), list + room_, Links::kNone);
}

// Places whose lists are full get shorter ones.
void GraphBuilder::prune_full(std::span<const uint32_t> places) {
  std::vector<std::vector<uint32_t>> lists(places.size());
  each_of(places.size(), options_.threads, [&](size_t i) {
    const auto list = Links{links_.data(), room_}.of(places[i]);
    const auto end = std::find(list.begin(), list.end(), Links::kNone);
    lists[i] = prune(places[i], scored(places[i], {list.begin(), end}));
  });
  for (size_t i = 0; i < places.size(); ++i) set_links(places[i], lists[i]);
}

void GraphBuilder::insert(std::span<const uint32_t> places) {
  std::vector<std::vector<uint32_t>> lists(places.size());
  each_of(places.size(), options_.threads, [&](size_t i) { lists[i] = prune(places[i], candidates_of(places[i])); });
  for (size_t i = 0; i < places.size(); ++i) set_links(places[i], lists[i]);
  // The way back. A list that is full is pruned before the next is added.
  std::vector<std::pair<uint32_t, uint32_t>> back, waiting;
  for (size_t i = 0; i < places.size(); ++i)
    for (const uint32_t neighbour : lists[i]) back.emplace_back(neighbour, places[i]);
  while (!back.empty()) {
    std::vector<uint32_t> full;
    waiting.clear();
    for (const auto& [from, to] : back) {
      uint32_t* list = &links_[size_t{from} * room_];
      uint32_t* const end = std::find(list, list + room_, Links::kNone);
      if (std::find(list, end, to) != end) continue;
      if (end == list + room_) {
        full.push_back(from), waiting.emplace_back(from, to);
        continue;
      }
      *end = to;
    }
    std::sort(full.begin(), full.end());
    full.erase(std::unique(full.begin(), full.end()), full.end());
    prune_full(full);
    back.swap(waiting);
  }
}

void GraphBuilder::add_pivots(std::span<const uint32_t> places) {
  for (const uint32_t place : places) {
    pivots_.push_back(place);
    pivot_codes_.insert(pivot_codes_.end(), segment_->codes(place), segment_->codes(place) + segment_->stride());
  }
}

// New pivots among the places covered_..end: as many as the square root of all says, every other one far from those that are there.
void GraphBuilder::choose_pivots(uint32_t end, std::vector<uint32_t>& fresh) const {
  size_t wanted = 16;
  while (wanted * wanted < end) wanted += 16;
  wanted = wanted > pivots_.size() ? wanted - pivots_.size() : 1;
  wanted = std::min<size_t>(wanted, end - covered_);
  std::vector<uint32_t> sample;
  const uint32_t step = std::max<uint32_t>(1, static_cast<uint32_t>((end - covered_) / (8 * wanted)));
  for (uint64_t at = covered_; at < end; at += step) sample.push_back(static_cast<uint32_t>(at + mix(at) % std::min<uint64_t>(step, end - at)));
  std::vector<float> nearest(sample.size(), -2);
  std::vector<bool> taken(sample.size());
  const DotKernel& kernel = dot_kernels().front();
  std::vector<int32_t> dots(sample.size());
  const auto look = [&](uint32_t pivot) {
    const CodedQuery query = query_of(*segment_, pivot);
    kernel.dots_at(segment_->codes(0), sample.data(), sample.size(), segment_->stride(), query.codes.data(), dots.data());
    for (size_t i = 0; i < sample.size(); ++i) nearest[i] = std::max(nearest[i], static_cast<float>(dots[i]) * segment_->scale(sample[i]) * query.scale);
  };
  for (const uint32_t pivot : pivots_) look(pivot);
  for (size_t n = 0; fresh.size() < wanted && n < 2 * sample.size(); ++n) {
    size_t pick = mix(n) % sample.size();
    if (n % 2 == 0) {
      float least = 3;
      for (size_t i = 0; i < sample.size(); ++i)
        if (!taken[i] && nearest[i] < least) least = nearest[i], pick = i;
    }
    if (taken[pick]) continue;
    taken[pick] = true;
    fresh.push_back(sample[pick]);
    look(sample[pick]);
  }
}

// Places below `end` that no way leads to become pivots.
void GraphBuilder::reach_all(uint32_t end) {
  Bitmap reached(end);
  std::vector<uint32_t> waiting(pivots_.begin(), pivots_.end()), lost;
  for (const uint32_t pivot : waiting) reached.set(pivot);
  const Links links{links_.data(), room_};
  for (uint32_t next = 0; next < end || !waiting.empty();) {
    if (waiting.empty()) {
      if (!reached.test(next)) reached.set(next), lost.push_back(next), waiting.push_back(next);
      ++next;
      continue;
    }
    const uint32_t place = waiting.back();
    waiting.pop_back();
    for (const uint32_t neighbour : links.of(place)) {
      if (neighbour == Links::kNone) break;
      if (!reached.test(neighbour)) reached.set(neighbour), waiting.push_back(neighbour);
    }
  }
  lost.resize(std::min(lost.size(), 4 * pivots_.size()));
  add_pivots(lost);
}

bool GraphBuilder::extend(uint32_t end, std::stop_token stop, const std::function<void(uint32_t)>& progress) {
  const uint32_t from = covered_;
  if (end <= from) return true;
  links_.resize(size_t{end} * room_, Links::kNone);
  std::vector<uint32_t> fresh, order;
  choose_pivots(end, fresh);
  if (pivots_.empty()) {  // the first of all: each with each
    for (const uint32_t pivot : fresh) set_links(pivot, prune(pivot, scored(pivot, fresh)));
  } else {
    insert(fresh);
  }
  add_pivots(fresh);
  Bitmap done(end);
  for (const uint32_t pivot : fresh) done.set(pivot);
  for (uint32_t place = from; place < end; ++place)
    if (!done.test(place)) order.push_back(place);
  // Neighbours in a document come in at different times, so that each finds others of its kind.
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[mix(from + i) % i]);
  for (size_t at = 0; at < order.size();) {
    if (stop.stop_requested()) return false;
    const size_t there = from + fresh.size() + at, n = std::min({order.size() - at, kAtOnce, std::max<size_t>(1, there / 50)});
    insert(std::span(order).subspan(at, n));
    at += n;
    if (progress) progress(static_cast<uint32_t>(from + fresh.size() + at));
  }
  reach_all(end);
  covered_ = end;
  return true;
}

bool GraphBuilder::start_from(const Graph& graph, const VectorSegment& old) {
  std::vector<uint32_t> now(graph.covered(), Links::kNone);  // old places to new ones
  uint32_t next = 0;
  for (uint32_t place = 0, at = 0; place < graph.covered(); ++place) {
    while (at < segment_->rows() && segment_->row(at) < old.row(place)) ++at;
    if (at == segment_->rows()) break;
    if (segment_->row(at) != old.row(place)) continue;
    if (at != next++) return false;
    now[place] = at;
  }
  if (next == 0) return false;
  links_.assign(size_t{next} * room_, Links::kNone);
  std::vector<uint32_t> list;
  for (uint32_t place = 0; place < graph.covered(); ++place) {
    if (now[place] == Links::kNone) continue;
    list.clear();
    bool lost = false;
    for (const uint32_t neighbour : graph.links().of(place)) {
      if (neighbour == Links::kNone) break;
      if (now[neighbour] != Links::kNone) {
        list.push_back(now[neighbour]);
        continue;
      }
      lost = true;
      for (const uint32_t further : graph.links().of(neighbour)) {
        if (further == Links::kNone) break;
        if (now[further] != Links::kNone) list.push_back(now[further]);
      }
    }
    if (lost) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      list = prune(now[place], scored(now[place], list));
    }
    list.resize(std::min<size_t>(list.size(), room_));
    set_links(now[place], list);
  }
  std::vector<uint32_t> pivots;
  for (const uint32_t pivot : graph.pivots())
    if (now[pivot] != Links::kNone) pivots.push_back(now[pivot]);
  if (pivots.empty()) pivots.push_back(0);
  add_pivots(pivots);
  covered_ = next;
  reach_all(next);
  return true;
}

std::string GraphBuilder::bytes() const {
  std::string out = "AJARGRA1";
  const auto put = [&](auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
  out.reserve(64 + (pivots_.size() + size_t{covered_} * options_.degree) * 4);
  put(covered_), put(options_.degree), put(static_cast<uint32_t>(pivots_.size())), put(uint32_t{0});
  put(segment_->identity());
  for (const uint32_t pivot : pivots_) put(pivot);
  for (uint32_t place = 0; place < covered_; ++place) {
    const auto list = Links{links_.data(), room_}.of(place);
    std::vector<uint32_t> shorter;
    std::span<const uint32_t> kept = list.first(options_.degree);
    if (list[options_.degree] != Links::kNone) {
      const auto end = std::find(list.begin(), list.end(), Links::kNone);
      shorter = prune(place, scored(place, {list.begin(), end}));
      shorter.resize(options_.degree, Links::kNone);
      kept = shorter;
    }
    out.append(reinterpret_cast<const char*>(kept.data()), kept.size_bytes());
  }
  seal(out);
  return out;
}

}  // namespace ajar::index
