#pragma once
// OpenAI Responses, in both directions. Spec: https://platform.openai.com/docs/api-reference/responses
//
// How its items become our words. Adjacent items of the model's side (reasoning, message, function_call, …) are one
// assistant Message, because every other dialect wants a turn's calls together; `Part::id` is the id of the item and
// `detail` says where a message item begins. Every other item is a Message of its own. What our words lack is kOpaque.
// The signature of another maker's thought travels as encrypted_content under its maker's name (object.h).

#include "wire/dialect.h"

namespace ajar::wire::responses {

// Client request. Errors are kInvalid with `field` such as "input[2].content[0].type".
Result<Request> read_request(std::string_view body);
// Upstream request. Nothing is stored there unless the client asked for it and Ajar does not store itself;
// encrypted reasoning is asked for, so that thoughts can come back. kUnsupported names what this API cannot say.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);

std::unique_ptr<ReplyDecoder> new_decoder();
std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options);
std::string write_reply(const Reply& reply, const ReplyOptions& options);
// The members of a response that repeat the request: instructions, tools, temperature, ….
RawMembers echo(const Request& request);

const Front& front();

// ---- Kept responses: items as they are stored, and back.

// The input items of a request (without instructions) as a JSON array, each with an id.
std::string write_input(const Request& request);
// What a kept response says: its output items as a JSON array, from the JSON of the whole.
std::string output_of(std::string_view response);
// Puts the messages that these arrays of items hold in front of the request's own, behind its instructions.
Status prepend(Request& request, const std::vector<std::string>& item_arrays);
// The ids of the items of an array.
std::vector<std::string> item_ids(std::string_view items);
// The item of that id in an array, or empty.
std::string find_item(std::string_view items, std::string_view id);
// The ids of the item_reference items in the input.
std::vector<std::string> references(const Request& request);
// Puts the item that `item` (JSON) is in the place of the reference to `id`.
Status resolve(Request& request, std::string_view id, std::string_view item);
// One page of an array of items as the API lists them. `after` is an item's id; `descending`: newest first.
// kInvalid: `after` is none of them.
Result<std::string> list_items(std::string_view items, size_t limit, bool descending, std::string_view after);

}  // namespace ajar::wire::responses
