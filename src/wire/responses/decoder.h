#pragma once
// Responses and their streams to events. A whole response is walked as the stream that it could have been.
// https://platform.openai.com/docs/api-reference/responses-streaming

#include <string>
#include <vector>

#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::responses {

class ResponseDecoder : public ReplyDecoder {
 public:
  Status on_event(std::string_view name, std::string_view data, EventBatch& out) override;
  Status on_body(std::string_view body, EventBatch& out) override;
  Status on_end(EventBatch& out) override;
  bool done() const override { return done_; }

 private:
  enum class Type : uint8_t { kMessage, kReasoning, kFunction, kCustom, kOther };
  // A piece of an item: a part of a message's content, of a reasoning item's summary or content.
  struct Piece {
    bool content = false;  // of a reasoning item: not of its summary
    bool refusal = false;
    int64_t index = 0;
    size_t said = 0;       // bytes of its text so far, and their hash
    uint64_t hash = 14695981039346656037u;
    bool logprobs = false;
    size_t annotations = 0;
  };
  struct Item {
    int64_t index = 0;  // output_index
    Type type = Type::kOther;
    std::string id;         // as events name it
    std::string item_id;    // as the provider does
    int32_t call = -1;  // which call of ours; -1: not opened yet
    bool args = false, done = false;
    std::vector<Piece> pieces;
  };

  Event& emit(Event::Kind kind, EventBatch& out);
  void start(const json::Object& response, EventBatch& out);
  // `whole`: it is what start() read, too.
  Status finish(const json::Object& response, std::string_view type, bool whole, EventBatch& out);
  void report(const json::Object& response, EventBatch& out);
  void added(int64_t index, const json::Object& item, const json::Value& value, EventBatch& out);
  void ended(int64_t index, const json::Object& item, const json::Value& value, EventBatch& out);
  void open_call(Item& item, const json::Object& object, EventBatch& out);
  void rest_of_message(Item& item, const json::Object& object, EventBatch& out);
  void rest_of_reasoning(Item& item, const json::Object& object, EventBatch& out);
  void text(Item& item, Piece& piece, std::string_view text, EventBatch& out);
  void rest_of_text(Item& item, Piece& piece, std::string_view whole, EventBatch& out);
  void logprobs(Item& item, Piece& piece, const json::Object& from, EventBatch& out);
  void args(Item& item, std::string_view text, EventBatch& out);
  void annotation(Item& item, Piece& piece, const json::Value& value, EventBatch& out);
  void other(std::string_view type, const json::Object& event, EventBatch& out);
  Item* find(int64_t index);
  static Piece& piece(Item& item, int64_t index, bool content, bool refusal);

  std::vector<Item> items_;
  RawMembers members_;  // of the response when it began
  int32_t calls_ = 0;
  bool started_ = false, done_ = false;
};

}  // namespace ajar::wire::responses
