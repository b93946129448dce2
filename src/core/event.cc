#include "core/event.h"

#include <algorithm>

namespace ajar {

Event Event::of_text(std::string text, int choice) {
  Event event;
  event.kind = Kind::kText;
  event.choice = choice;
  event.text = std::move(text);
  return event;
}

void Usage::clamp() {
  for (int64_t* count : {&input, &output, &cached_read, &cached_write, &cached_write_1h, &reasoning,
                         &audio_input, &audio_output, &images, &characters, &audio_ms, &searches}) {
    *count = std::max<int64_t>(*count, 0);
  }
  cached_read = std::min(cached_read, input);
  cached_write = std::min(cached_write, input - cached_read);
  cached_write_1h = std::min(cached_write_1h, cached_write);
  reasoning = std::min(reasoning, output);
  audio_input = std::min(audio_input, input);
  audio_output = std::min(audio_output, output);
}

void Usage::merge(const Usage& later) {
  input = std::max(input, later.input);
  output = std::max(output, later.output);
  cached_read = std::max(cached_read, later.cached_read);
  cached_write = std::max(cached_write, later.cached_write);
  cached_write_1h = std::max(cached_write_1h, later.cached_write_1h);
  reasoning = std::max(reasoning, later.reasoning);
  audio_input = std::max(audio_input, later.audio_input);
  audio_output = std::max(audio_output, later.audio_output);
  images = std::max(images, later.images);
  characters = std::max(characters, later.characters);
  audio_ms = std::max(audio_ms, later.audio_ms);
  searches = std::max(searches, later.searches);
  reported = reported || later.reported;
  clamp();
}

}  // namespace ajar
