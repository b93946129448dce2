#pragma once
// Events to a response: its stream, and the whole object that ends it. A whole reply is written by the same walk, with
// the stream's bytes left out.

#include <deque>
#include <string>
#include <vector>

#include "wire/dialect.h"

namespace ajar::wire::responses {

class ResponseEncoder : public ReplyEncoder {
 public:
  // `quiet`: only the whole object is wanted.
  ResponseEncoder(ReplyOptions options, bool quiet) : options_(std::move(options)), quiet_(quiet) {}

  void encode(const EventBatch& events, std::string& out) override;
  void finish(StreamEnd end, const Error* error, std::string& out) override;
  std::string take_reply() override { return std::move(reply_); }

 private:
  enum class Type : uint8_t { kMessage, kReasoning, kCall, kCustom, kOther };
  enum class Sort : uint8_t { kText, kRefusal, kSummary, kContent };  // of a piece

  // An output item from its `added` to its `done`.
  struct Item {
    Type type = Type::kMessage;
    std::string key;      // Event::id of what belongs to it; empty: whatever comes next of its type does
    std::string id;       // as shown
    int64_t index = 0;    // output_index
    bool done = false;
    RawMembers extra;
    std::string name, call_id, text;  // of a call, where text is its arguments; otherwise text of the open piece
    int32_t call = -1;
    std::string sealed;   // encrypted_content
    std::string content, summary;     // closed pieces
    int64_t contents = 0, summaries = 0;
    bool open = false;    // a piece is
    Sort sort = Sort::kText;
    int32_t piece = 0;    // Event::index of it
    std::string annotations, logprobs;
    int64_t notes = 0;
    std::string tail;     // of a delta event, from the item's id to "delta":
    std::string json;     // once done
  };

  void start(const Event& event, std::string& out);
  void begin(std::string_view type, std::string& out);
  void where(const Item& item, std::string& out);
  void response(std::string_view status, const Error* error, std::string& out);
  void response_frame(std::string_view type, std::string_view status, const Error* error, std::string& out);

  std::string item_id(std::string_view prefix, int64_t index) const;
  Item& open(Type type, const Event& event, std::string& out);
  Item& item_for(Type type, const Event& event, std::string& out);
  Item* find(std::string_view key);
  void added(const Item& item, std::string_view json, std::string& out);
  void close(Item& item, std::string& out, bool incomplete = false);
  void close_all(std::string& out);
  void item_json(const Item& item, std::string_view status, std::string& out) const;

  void open_piece(Item& item, Sort sort, int32_t index, std::string& out);
  void close_piece(Item& item, std::string& out);
  static void piece_json(const Item& item, std::string& out);
  void words(const Event& event, const Event* logprobs, std::string& out);
  void delta(Item& item, std::string_view text, std::string_view logprobs, std::string& out);
  void tool_call(const Event& event, std::string& out);
  void tool_args(const Event& event, std::string& out);
  void annotation(const Event& event, std::string& out);
  void logprobs(const Event& event, std::string& out);
  void media(const Event& event, std::string& out);
  void opaque(const Event& event, std::string& out);
  void extra(const Event& event, std::string& out);
  void merge(const RawMembers& provider);

  ReplyOptions options_;
  const bool quiet_;
  std::deque<Item> items_;    // in output_index order; stable addresses
  Item* current_ = nullptr;   // the message or reasoning item that goes on
  std::string id_, model_;
  int64_t created_ = 0, sequence_ = 0;
  RawMembers members_;        // of the response
  std::vector<std::string> pending_;  // annotations that came before their text
  Usage usage_;
  RawMembers usage_extra_;
  Finish finish_ = Finish::kNone;
  std::string reason_;        // of an incomplete response of our own dialect
  bool started_ = false, own_ = false, usage_seen_ = false, stopped_ = false;
  std::string reply_;
};

}  // namespace ajar::wire::responses
