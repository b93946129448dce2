// The bytes of a task model: see task_model.h.
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <set>

#include "base/random.h"
#include "json/read.h"
#include "json/write.h"
#include "learn/file.h"
#include "learn/task_model.h"

namespace ajar::learn {

static_assert(std::endian::native == std::endian::little, "the file's floats are read as they stand");

namespace {

constexpr std::string_view kMagic = "AJARTASK";
constexpr uint32_t kVersion = 1, kWithWords = 2, kWithKernel = 4, kWithVectors = 5;
constexpr size_t kSumBytes = 64;  // in hexadecimal
constexpr int64_t kMostBytes = int64_t{512} << 20;
constexpr size_t kMostLabels = 10'000, kMostWidth = 65'536;

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string_view> take(size_t n) {
    if (n > bytes_.size()) return invalid("file", "the task model is cut");
    const std::string_view out = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return out;
  }
  Result<uint32_t> number() {
    AJAR_ASSIGN(const std::string_view four, take(4));
    uint32_t out;
    std::memcpy(&out, four.data(), 4);
    return out;
  }
  template <class T>
  Status array(std::vector<T>& out, size_t n) {
    if (n > bytes_.size() / sizeof(T)) return invalid("file", "the task model is cut");
    AJAR_ASSIGN(const std::string_view bytes, take(n * sizeof(T)));
    out.resize(n);
    if (n > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
    return {};
  }
  Status floats(std::vector<float>& out, size_t n) {
    AJAR_TRY(array(out, n));
    if (!std::ranges::all_of(out, [](float x) { return std::isfinite(x); })) return invalid("file", "a weight is not a number");
    return {};
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

void put_number(std::string& out, uint32_t n) { out.append(reinterpret_cast<const char*>(&n), 4); }
template <class T>
void put_array(std::string& out, const std::vector<T>& v) {
  out.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T));
}

void write_recipe(json::Writer& w, const TaskRecipe& r) {
  w.begin_object();
  w.field("bits", int64_t{r.hashed.bits});
  w.field("words", int64_t{r.hashed.words});
  w.field("pieces_from", int64_t{r.hashed.pieces_from});
  w.field("pieces_to", int64_t{r.hashed.pieces_to});
  w.field("random", int64_t{r.random});
  w.field("gamma", r.gamma);
  w.field("embedding_scale", r.embedding_scale);
  w.field("random_scale", r.random_scale);
  if (r.kernel.width > 0) {
    w.field("kernel_width", int64_t{r.kernel.width});
    w.field("kernel_sharpness", r.kernel.sharpness);
    w.field("kernel_words", r.kernel.words);
    w.field("kernel_ridge", r.kernel.ridge);
  }
  if (r.layers != kAllLayers) w.field("layers", int64_t{r.layers});
  w.field("epochs", int64_t{r.training.epochs});
  w.field("batch", int64_t{r.training.batch});
  w.field("rate", r.training.rate);
  w.field("l2", r.training.l2);
  w.field("smoothing", r.training.smoothing);
  w.field("seed", static_cast<int64_t>(r.training.seed >> 1));  // JSON's integers are signed
  w.field("seed_low", static_cast<int64_t>(r.training.seed & 1));
  w.end_object();
}

class Fields {
 public:
  explicit Fields(const json::Object& object) : object_(object) {}
  int64_t whole(std::string_view key, int64_t low, int64_t high) {
    const auto value = json::find(object_, key);
    const auto number = value ? json::as_int(*value) : std::nullopt;
    if (number && *number >= low && *number <= high) return *number;
    wrong_ = key;
    return low;
  }
  double real(std::string_view key) {
    const auto value = json::find(object_, key);
    const auto number = value ? json::as_double(*value) : std::nullopt;
    if (number && std::isfinite(*number)) return *number;
    wrong_ = key;
    return 0;
  }
  std::string text(std::string_view key) { return std::string(json::string_or(object_, key)); }
  Status status() const {
    if (wrong_.empty()) return {};
    return invalid("file", "the task model's header: '" + wrong_ + "' is missing or out of range");
  }

 private:
  const json::Object& object_;
  std::string wrong_;
};

Result<TaskRecipe> read_recipe(const json::Object& object) {
  Fields f(object);
  TaskRecipe r;
  r.hashed.bits = static_cast<uint8_t>(f.whole("bits", 0, 22));
  r.hashed.words = static_cast<uint8_t>(f.whole("words", 0, 8));
  r.hashed.pieces_from = static_cast<uint8_t>(f.whole("pieces_from", 1, 16));
  r.hashed.pieces_to = static_cast<uint8_t>(f.whole("pieces_to", 0, 16));
  r.random = static_cast<uint32_t>(f.whole("random", 0, 8192));
  r.gamma = f.real("gamma");
  r.embedding_scale = f.real("embedding_scale");
  r.random_scale = f.real("random_scale");
  r.kernel.width = 0;
  if (json::find(object, "kernel_width")) {
    r.kernel = {.width = static_cast<uint32_t>(f.whole("kernel_width", 1, 4096)),
                .sharpness = f.real("kernel_sharpness"),
                .words = f.real("kernel_words"),
                .ridge = f.real("kernel_ridge")};
    if (!KernelOptions::sensible(r.kernel)) return invalid("file", "the task model's kernel has a number out of range");
  }
  if (json::find(object, "layers")) r.layers = static_cast<int32_t>(f.whole("layers", 0, 1024));
  r.training.epochs = static_cast<int>(f.whole("epochs", 0, 100'000));
  r.training.batch = static_cast<int>(f.whole("batch", 1, 100'000));
  r.training.rate = f.real("rate");
  r.training.l2 = f.real("l2");
  r.training.smoothing = f.real("smoothing");
  r.training.seed = static_cast<uint64_t>(f.whole("seed", 0, INT64_MAX)) << 1 | static_cast<uint64_t>(f.whole("seed_low", 0, 1));
  AJAR_TRY(f.status());
  return r;
}

void write_lineage(json::Writer& w, const Lineage& l) {
  w.begin_object();
  w.field("dataset", l.dataset);
  w.field("dataset_sha256", l.dataset_sha256);
  w.field("licence", l.licence);
  w.field("trained_at", l.trained_at);
  w.field("split", l.split);
  w.field("embedder", l.embedder);
  w.field("train_rows", l.train_rows);
  w.field("calibration_rows", l.calibration_rows);
  w.field("test_rows", l.test_rows);
  w.field("accuracy", l.accuracy);
  w.field("ece_before", l.ece_before);
  w.field("ece_after", l.ece_after);
  w.field("alpha", l.alpha);
  w.field("delta", l.delta);
  w.field("threshold", l.threshold);
  w.field("bound", l.bound);
  w.field("share", l.share);
  w.field("guaranteed", l.guaranteed);
  w.end_object();
}

Result<Lineage> read_lineage(const json::Object& object) {
  Fields f(object);
  Lineage l{.dataset = f.text("dataset"),
            .dataset_sha256 = f.text("dataset_sha256"),
            .licence = f.text("licence"),
            .trained_at = f.text("trained_at"),
            .split = f.text("split"),
            .embedder = f.text("embedder"),
            .train_rows = f.whole("train_rows", 0, INT64_MAX),
            .calibration_rows = f.whole("calibration_rows", 0, INT64_MAX),
            .test_rows = f.whole("test_rows", 0, INT64_MAX),
            .accuracy = f.real("accuracy"),
            .ece_before = f.real("ece_before"),
            .ece_after = f.real("ece_after"),
            .alpha = f.real("alpha"),
            .delta = f.real("delta"),
            .threshold = f.real("threshold"),
            .bound = f.real("bound"),
            .share = f.real("share")};
  const auto guaranteed = json::find(object, "guaranteed");
  l.guaranteed = guaranteed && json::as_bool(*guaranteed).value_or(false);
  AJAR_TRY(f.status());
  return l;
}

Result<std::vector<std::string>> read_labels(const json::Object& header) {
  const auto value = json::find(header, "labels");
  const auto array = value ? json::as_array(*value) : std::nullopt;
  if (!array) return invalid("file", "the task model's header has no labels");
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (const json::Value item : *array) {
    const auto label = json::as_string(item);
    if (!label || label->empty() || !seen.insert(*label).second)
      return invalid("file", "the task model's labels are not distinct texts");
    out.emplace_back(*label);
  }
  if (out.size() < 2 || out.size() > kMostLabels) return invalid("file", "the task model has " + std::to_string(out.size()) + " labels");
  return out;
}

Result<json::Object> member(const json::Object& header, std::string_view key) {
  const auto value = json::find(header, key);
  const auto object = value ? json::as_object(*value) : std::nullopt;
  if (!object) return invalid("file", "the task model's header has no '" + std::string(key) + "'");
  return *object;
}

}  // namespace

// Has the rights to put a model together piece by piece.
class TaskFile {
 public:
  static std::string write(const TaskModel& m) {
    std::string out(kMagic);
    const uint32_t version = m.kernel_.empty() ? (m.first_.model ? kWithWords : kVersion) : m.first_.model && m.first_.model->width() > 0 ? kWithVectors : kWithKernel;
    put_number(out, version);
    const std::string head = header(m);
    put_number(out, static_cast<uint32_t>(head.size()));
    out += head;
    std::string present((m.row_of_.size() + 7) / 8, '\0');
    for (size_t i = 0; i < m.row_of_.size(); ++i)
      if (m.row_of_[i] >= 0) present[i / 8] = static_cast<char>(present[i / 8] | 1 << i % 8);
    out += present;
    for (const auto* rows : {&m.hashed_, &m.dense_, &m.centroids_}) put_array(out, rows->scales), put_array(out, rows->values);
    put_array(out, m.bias_);
    if (version >= kWithWords) {
      const std::string first = m.first_.model ? write(*m.first_.model) : "";
      put_number(out, static_cast<uint32_t>(first.size()));
      out += first;
    }
    if (version >= kWithKernel) {
      const KernelRows& k = m.kernel_;
      put_array(out, k.projection_.mean_);
      put_array(out, k.projection_.basis_);
      put_number(out, static_cast<uint32_t>(k.size()));
      put_array(out, k.scales_);
      put_array(out, k.values_);
      put_array(out, std::vector{k.unit_});
      put_array(out, k.votes_.votes());
    }
    return out + sha256_hex(out);
  }

  static Result<TaskModel> read(std::string_view bytes) {
    AJAR_ASSIGN(Cursor in, checked(bytes));
    AJAR_ASSIGN(const uint32_t version, in.number());
    if (version != kVersion && version != kWithWords && version != kWithKernel && version != kWithVectors)
      return invalid("file", "the task model has version " + std::to_string(version) + "; this program reads 1, 2, 4 and 5: train it again");
    AJAR_ASSIGN(const uint32_t size, in.number());
    AJAR_ASSIGN(const std::string_view text, in.take(size));
    json::Document document;
    AJAR_ASSIGN(const json::Object head, document.parse_object(text));
    AJAR_ASSIGN(TaskModel m, read_header(head));
    if ((version >= kWithKernel) != (m.recipe().kernel.width > 0)) return invalid("file", "the task model's recipe and its parts disagree about a kernel");
    AJAR_TRY(read_weights(in, m));
    if (version >= kWithWords) AJAR_TRY(read_first(in, version, head, m));
    if (version >= kWithKernel) AJAR_TRY(read_kernel(in, m));
    if (!in.empty()) return invalid("file", "the task model has bytes too many");
    return m;
  }

 private:
  static std::string header(const TaskModel& m) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.key("labels");
    w.begin_array();
    for (const std::string& label : m.labels_) w.string(label);
    w.end_array();
    w.field("width", int64_t{m.width()});
    w.key("recipe");
    write_recipe(w, m.recipe_);
    w.field("temperature", m.calibrated_.temperature);
    w.raw_field("confidence", m.calibrated_.confidence.json());
    w.field("scope_floor", m.calibrated_.scope_floor);
    if (m.first_.model) w.field("words_floor", m.first_.floor);
    w.key("lineage");
    write_lineage(w, m.lineage_);
    w.end_object();
    return out;
  }

  // What stands between the magic bytes and the checksum.
  static Result<Cursor> checked(std::string_view bytes) {
    if (!bytes.starts_with(kMagic)) return invalid("file", "not a task model");
    if (bytes.size() < kMagic.size() + 8 + kSumBytes) return invalid("file", "the task model is cut");
    const std::string_view body = bytes.substr(0, bytes.size() - kSumBytes);
    Cursor in(body.substr(kMagic.size()));
    if (sha256_hex(body) != bytes.substr(body.size()))
      return invalid("file", "the task model is cut or altered: its checksum is wrong");
    return in;
  }

  static Result<TaskModel> read_header(const json::Object& head) {
    AJAR_ASSIGN(auto labels, read_labels(head));
    Fields f(head);
    const auto width = static_cast<uint32_t>(f.whole("width", 0, kMostWidth));
    TaskModel::Calibrated calibrated{.temperature = f.real("temperature"), .scope_floor = f.real("scope_floor")};
    AJAR_TRY(f.status());
    if (calibrated.temperature <= 0) return invalid("file", "the task model's temperature is not above 0");
    const auto knots = json::find(head, "confidence");
    if (!knots) return invalid("file", "the task model's header has no 'confidence'");
    AJAR_ASSIGN(calibrated.confidence, Isotonic::parse(json::raw(*knots)));
    AJAR_ASSIGN(const json::Object recipe_object, member(head, "recipe"));
    AJAR_ASSIGN(const TaskRecipe recipe, read_recipe(recipe_object));
    if (size_t{recipe.random} * width > kMostBytes / 4) return invalid("file", "the task model is too large");
    AJAR_ASSIGN(const json::Object lineage_object, member(head, "lineage"));
    AJAR_ASSIGN(Lineage lineage, read_lineage(lineage_object));
    TaskModel m(std::move(labels), recipe, width);
    m.calibrated_ = std::move(calibrated);
    m.lineage_ = std::move(lineage);
    return m;
  }

  static Status read_weights(Cursor& in, TaskModel& m) {
    const size_t columns = m.features_.columns(), labels = m.labels_.size();
    AJAR_ASSIGN(const std::string_view present, in.take((columns + 7) / 8));
    m.row_of_.assign(columns, -1);
    int32_t rows = 0;
    for (size_t i = 0; i < columns; ++i)
      if (present[i / 8] >> i % 8 & 1) m.row_of_[i] = rows++;
    AJAR_TRY(read_rows(in, m.hashed_, static_cast<size_t>(rows), labels));
    AJAR_TRY(read_rows(in, m.dense_, m.features_.dense(), labels));
    AJAR_TRY(read_rows(in, m.centroids_, m.width() == 0 ? 0 : labels, m.width()));
    return in.floats(m.bias_, labels);
  }

  static Status read_first(Cursor& in, uint32_t version, const json::Object& head, TaskModel& m) {
    AJAR_ASSIGN(const uint32_t size, in.number());
    AJAR_ASSIGN(const std::string_view bytes, in.take(size));
    if (bytes.empty()) return {};
    Fields f(head);
    const double floor = f.real("words_floor");
    AJAR_TRY(f.status());
    if (floor <= 0) return invalid("file", "the task model's words_floor is not above 0");
    // One within another and so on would be read without an end: in each file stands one of a lower kind.
    const auto wanted = static_cast<char>(version == kWithVectors ? kWithKernel : kVersion);
    if (bytes.size() < kMagic.size() + 4 || bytes[kMagic.size()] != wanted) return invalid("file", "what the task model asks first has too much before it");
    auto first = read(bytes);
    if (!first) return std::unexpected(std::move(first).error().in("what it asks first"));
    if (first->width() != (version == kWithVectors ? m.width() : 0) || first->labels_ != m.labels_) return invalid("file", "what the task model asks first is of another task");
    m.first_ = {.model = std::make_shared<const TaskModel>(*std::move(first)), .floor = floor};
    return {};
  }

  static Status read_kernel(Cursor& in, TaskModel& m) {
    KernelRows& k = m.kernel_;
    if (m.width() == 0) return invalid("file", "the task model has a kernel but no embedding");
    const size_t kept = std::min(m.recipe_.kernel.width, m.width());
    AJAR_TRY(in.floats(k.projection_.mean_, m.width()));
    AJAR_TRY(in.floats(k.projection_.basis_, kept * m.width()));
    AJAR_ASSIGN(const uint32_t rows, in.number());
    if (rows == 0) return invalid("file", "the task model's kernel has no rows");
    AJAR_TRY(in.floats(k.scales_, rows));
    AJAR_TRY(in.array(k.values_, rows * kept));
    std::vector<float> unit;
    AJAR_TRY(in.floats(unit, 1));
    k.unit_ = unit.front();
    std::vector<int16_t> votes;
    AJAR_TRY(in.array(votes, rows * m.labels_.size()));
    k.votes_ = VoteTable(votes, m.labels_.size());
    return {};
  }

  static Status read_rows(Cursor& in, TaskModel::Rows& rows, size_t count, size_t length) {
    AJAR_TRY(in.floats(rows.scales, count));
    return in.array(rows.values, count * length);
  }
};

std::string TaskModel::serialize() const { return TaskFile::write(*this); }

Result<TaskModel> TaskModel::parse(std::string_view bytes) { return TaskFile::read(bytes); }

Status TaskModel::save(const std::string& path) const { return write_file(path, serialize()); }

Result<TaskModel> TaskModel::load(const std::string& path) {
  AJAR_ASSIGN(const std::string bytes, read_file(path, kMostBytes));
  auto model = parse(bytes);
  if (!model) return std::unexpected(std::move(model.error()).in(path));
  return model;
}

}  // namespace ajar::learn
