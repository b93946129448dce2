#pragma once
// Events to the Messages API's stream: blocks that are opened, filled and closed one after the other, whatever the order
// in which the provider wrote them. https://docs.claude.com/en/docs/build-with-claude/streaming

#include <deque>
#include <string>
#include <vector>

#include "wire/dialect.h"
#include "wire/json_end.h"

namespace ajar::wire::anthropic {

class Encoder final : public ReplyEncoder {
 public:
  explicit Encoder(ReplyOptions options) : options_(std::move(options)) {}

  void encode(const EventBatch& events, std::string& out) override;
  void finish(StreamEnd end, const Error* error, std::string& out) override;

 private:
  // The first of `blocks_` is open in the client's stream; what belongs to the others waits in `held`.
  struct Block {
    enum class Type : uint8_t { kText, kThinking, kTool, kWhole };
    Type type = Type::kText;
    int32_t index = 0;    // Event::index of text and calls
    bool ended = false;   // a thought that has its signature
    bool any = false;     // a delta was written
    JsonEnd json;         // kTool
    std::string held;     // text, thought, arguments; kWhole: the block
    std::string signature;               // marked
    std::vector<std::string> citations;  // raw
    std::string id, name;                // kTool
    RawMembers members;                  // kTool, kWhole: further ones
  };

  void event(const Event& event, std::string& out);
  void begin(std::string& out);
  Block& block(Block::Type type, int32_t index, std::string& out);
  Block& append(Block block, std::string& out);
  void fill(Block& block, std::string_view text, std::string& out);
  void opaque(const Event& event, std::string& out);
  void advance(bool all, std::string& out);
  void open(Block& block, std::string& out);
  void close(Block& block, std::string& out);
  void delta(std::string_view type, std::string_view member, std::string_view text, std::string& out);
  bool is_open(const Block& block) const { return &block == &blocks_.front(); }

  ReplyOptions options_;
  std::string id_, model_;
  RawMembers start_extra_, end_extra_, usage_extra_;
  DialectId origin_ = DialectId::kNone;  // of the reply: only our own dialect's extra members are written again
  Usage usage_;
  std::deque<Block> blocks_;
  int64_t number_ = -1;  // of the open block
  Finish finish_ = Finish::kNone;
  std::string native_finish_, stop_sequence_;
  bool begun_ = false, has_calls_ = false, refused_ = false;
};

}  // namespace ajar::wire::anthropic
