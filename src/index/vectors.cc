#include "index/vectors.h"

#include <cmath>
#include <cstring>

namespace ajar::index {
namespace {

constexpr std::string_view kMagic = "AJARVEC1";
constexpr size_t kHeader = 16;

size_t padded(size_t n) { return (n + 63) / 64 * 64; }
size_t codes_at(size_t rows) { return padded(kHeader + rows * 8); }

struct Frame {  // an empty segment to be filled
  std::string bytes;
  size_t stride;
  Frame(size_t rows, uint32_t width) : stride(padded(width)) {
    bytes.reserve(codes_at(rows) + rows * stride + 8);
    bytes.assign(codes_at(rows) + rows * stride, '\0');
    const auto n = static_cast<uint32_t>(rows);
    std::memcpy(bytes.data(), kMagic.data(), 8);
    std::memcpy(bytes.data() + 8, &n, 4);
    std::memcpy(bytes.data() + 12, &width, 4);
    rows_ = rows;
  }
  void set(size_t at, uint32_t row, float scale) {
    std::memcpy(bytes.data() + kHeader + at * 4, &row, 4);
    std::memcpy(bytes.data() + kHeader + rows_ * 4 + at * 4, &scale, 4);
  }
  uint8_t* codes(size_t at) { return reinterpret_cast<uint8_t*>(bytes.data()) + codes_at(rows_) + at * stride; }

 private:
  size_t rows_;
};

// x = scale * code; the largest code is 127.
float quantize(std::span<const float> x, int8_t* codes) {
  float most = 0;
  for (const float v : x) most = std::max(most, std::fabs(v));
  const float scale = most > 0 ? most / 127 : 1;
  for (size_t d = 0; d < x.size(); ++d) codes[d] = static_cast<int8_t>(std::lrintf(x[d] / scale));
  return scale;
}

}  // namespace

uint32_t VectorSegment::row(uint32_t at) const {
  uint32_t value;
  std::memcpy(&value, row_ + size_t{at} * 4, 4);
  return value;
}
float VectorSegment::scale(uint32_t at) const {
  float value;
  std::memcpy(&value, scale_ + size_t{at} * 4, 4);
  return value;
}

Result<std::shared_ptr<const VectorSegment>> VectorSegment::open(std::shared_ptr<const Buffer> buffer) {
  const auto damaged = [] { return fail(Code::kInvalid, "the segment is damaged"); };
  AJAR_ASSIGN(const std::string_view in, unseal(buffer->bytes()));
  if (in.size() < kHeader || !in.starts_with(kMagic)) return damaged();
  auto segment = std::make_shared<VectorSegment>();
  std::memcpy(&segment->rows_, in.data() + 8, 4);
  std::memcpy(&segment->width_, in.data() + 12, 4);
  if (segment->width_ == 0 || segment->width_ > kMaxWidth) return damaged();
  if (in.size() != codes_at(segment->rows_) + size_t{segment->rows_} * segment->stride()) return damaged();
  segment->row_ = in.data() + kHeader;
  segment->scale_ = segment->row_ + size_t{segment->rows_} * 4;
  segment->codes_ = reinterpret_cast<const uint8_t*>(in.data()) + codes_at(segment->rows_);
  for (uint32_t i = 1; i < segment->rows_; ++i)
    if (segment->row(i) <= segment->row(i - 1)) return damaged();
  std::memcpy(&segment->identity_, buffer->bytes().data() + in.size(), 8);
  segment->buffer_ = std::move(buffer);
  return segment;
}

std::string VectorSegment::build(std::span<const uint32_t> rows, std::span<const float> vectors, uint32_t width) {
  Frame out(rows.size(), width);
  std::vector<int8_t> codes(out.stride);
  for (size_t i = 0; i < rows.size(); ++i) {
    out.set(i, rows[i], quantize(vectors.subspan(i * width, width), codes.data()));
    for (size_t d = 0; d < out.stride; ++d) out.codes(i)[d] = static_cast<uint8_t>(codes[d] + 128);
  }
  seal(out.bytes);
  return std::move(out.bytes);
}

std::string VectorSegment::merge(std::span<const std::shared_ptr<const VectorSegment>> segments, const Bitmap& alive) {
  size_t rows = 0;
  for (const auto& segment : segments)
    for (uint32_t i = 0; i < segment->rows(); ++i) rows += alive.test(segment->row(i)) ? 1 : 0;
  Frame out(rows, segments.front()->width());
  size_t at = 0;
  for (const auto& segment : segments) {
    for (uint32_t i = 0; i < segment->rows(); ++i) {
      if (!alive.test(segment->row(i))) continue;
      out.set(at, segment->row(i), segment->scale(i));
      std::memcpy(out.codes(at++), segment->codes(i), out.stride);
    }
  }
  seal(out.bytes);
  return std::move(out.bytes);
}

Status normalize(std::span<float> vector) {
  double sum = 0;
  for (const float v : vector) sum += double{v} * v;
  if (!std::isfinite(sum) || sum <= 0) return fail(Code::kInvalid, "a vector is zero or not finite");
  const auto factor = static_cast<float>(1 / std::sqrt(sum));
  for (float& v : vector) v *= factor;
  return {};
}

Status VectorIndex::add(std::span<const uint32_t> rows, std::span<const float> vectors) {
  if (vectors.size() != rows.size() * width_) {
    return fail(Code::kInvalid, "vectors of another width: the index has " + std::to_string(width_) + " numbers a row");
  }
  return segments_.add(VectorSegment::build(rows, vectors, width_));
}

void VectorReader::scan(const VectorSegment& segment, const Bitmap& places, const CodedQuery& query, const DotKernel& kernel, Best& best) const {
  constexpr uint32_t kBlock = 64;
  int32_t dots[kBlock];
  // Runs of neighbours are scored together.
  uint32_t first = 0, count = 0;
  const auto run = [&] {
    kernel.dots(segment.codes(first), count, segment.stride(), query.codes.data(), dots);
    for (uint32_t i = 0; i < count; ++i) {
      const float score = static_cast<float>(dots[i]) * segment.scale(first + i) * query.scale;
      if (score >= best.floor()) best.offer({segment.row(first + i), score});
    }
    count = 0;
  };
  places.each([&](uint32_t at) {
    if (count > 0 && (at != first + count || count == kBlock)) run();
    if (count++ == 0) first = at;
  });
  if (count > 0) run();
}

Result<std::vector<Scored>> VectorReader::search(std::span<const float> query, const Bitmap* allowed, size_t limit, const FetchVectors& fetch,
                                                 const DotKernel& kernel) const {
  if (snapshot_->segments.empty() || limit == 0) return std::vector<Scored>{};
  const VectorSegment& first = *snapshot_->segments.front();
  if (query.size() != first.width()) {
    return fail(Code::kInvalid, "the query has " + std::to_string(query.size()) + " numbers, the index " + std::to_string(first.width()) + " a row");
  }
  std::vector<float> unit(query.begin(), query.end());
  AJAR_TRY(normalize(unit));
  CodedQuery coded{.codes = std::vector<int8_t>(first.stride())};
  coded.scale = quantize(unit, coded.codes.data());
  Bitmap seen = *snapshot_->alive;
  if (allowed != nullptr) seen &= *allowed;

  // 30 candidates more than asked for: recall@10 1.000 over 100,000 x 384. Each costs its owner a look-up.
  const size_t wanted = fetch ? limit + 30 : limit;
  Best best(wanted);
  for (const auto& segment : snapshot_->segments) {
    Bitmap places = places_of(*segment, seen);
    if (graph_ && graph_->segment() == segment->identity() && graph_->search(*segment, coded, places, std::max(effort_, wanted), kernel, best)) {
      places.clear_range(0, graph_->covered());
    }
    scan(*segment, places, coded, kernel, best);
  }
  std::vector<Scored> found = best.take();
  if (!fetch) return found;
  std::vector<uint32_t> rows;
  for (const Scored& one : found) rows.push_back(one.row);
  std::vector<float> exact(rows.size() * unit.size());
  AJAR_TRY(fetch(rows, exact));
  for (size_t i = 0; i < found.size(); ++i) {
    float sum = 0;
    for (size_t d = 0; d < unit.size(); ++d) sum += unit[d] * exact[i * unit.size() + d];
    found[i].score = sum;
  }
  std::erase_if(found, [](const Scored& one) { return !std::isfinite(one.score); });
  std::sort(found.begin(), found.end(), better);
  if (found.size() > limit) found.resize(limit);
  return found;
}

}  // namespace ajar::index
