#include "app/selftest_lab.h"

#include <future>
#include <thread>

#include "app/files.h"
#include "app/matrix.h"
#include "json/read.h"

namespace ajar::app {

Result<std::unique_ptr<Lab>> Lab::start(SelftestOptions options) {
  std::unique_ptr<Lab> lab(new Lab(std::move(options)));
  lab->client_ = std::move(*Client::create(lab->loops_[0], {}));
  AJAR_TRY(lab->build());
  return lab;
}

Lab::~Lab() {
  serve_.reset();
  mock_.reset();
  loops_.stop();
}

Status Lab::build() {
  if (!own()) {
    url_ = options_.url;
    while (url_.ends_with('/')) url_.pop_back();
    if (url_.ends_with("/v1")) url_.resize(url_.size() - 3);
    key_ = options_.key;
    AJAR_TRY(parse_url(url_));
    return {};
  }
  AJAR_ASSIGN(place_, TemporaryPlace::make());
  AJAR_ASSIGN(mock_, Child::start({"mock", "--listen", "127.0.0.1:0"}, place_->path() + "/mock.log"));
  AJAR_ASSIGN(mock_url_, mock_->url());
  config_ = "[server]\nlisten = [\"127.0.0.1:0\"]\naccess_log = \"off\"\nmax_body = \"1MiB\"\nthreads = 2\n"
            "[store]\npath = \"" + place_->path() + "/data\"\n" +
            wall_config(mock_url_) + matrix_config(mock_url_) + matrix::config(mock_url_) + server_config(mock_url_);
  AJAR_TRY(write_config(""));
  AJAR_ASSIGN(serve_, Child::start({"serve", "--config", place_->path() + "/ajar.toml"},
                                   place_->path() + "/serve.log"));
  AJAR_ASSIGN(url_, serve_->url());
  AJAR_ASSIGN(admin_token_, read_admin_token(place_->path() + "/data"));
  key_ = new_key(R"({"name":"selftest"})");
  if (key_.empty()) return fail(Code::kInternal, "the server made no key");
  return {};
}

Status Lab::write_config(const std::string& more) { return place_->write("ajar.toml", config_ + more); }

Heard Lab::ask(const Ask& ask) { return send(url_, ask.key == "-" ? key_ : ask.key, ask); }

Heard Lab::admin(const std::string& method, const std::string& path, const std::string& body) {
  return send(url_, admin_token_, {.method = method, .path = path, .body = body});
}

std::string Lab::mock(const std::string& path) { return send(mock_url_, "", {.method = "GET", .path = path}).body; }

std::string Lab::new_key(const std::string& members) {
  const Heard made = admin("POST", "/admin/keys", members);
  json::Document document;
  const auto root = document.parse_object(made.body);
  return root ? std::string(json::string_or(*root, "secret")) : "";
}

std::string Lab::calls(const std::string& until_id) {
  const TimePoint patience = after(Millis(10'000));
  for (;;) {
    const Heard rows = admin("GET", "/admin/calls?limit=10000");
    if (rows.body.find("\"" + until_id + "\"") != std::string::npos || now() > patience) return rows.body;
    std::this_thread::sleep_for(Millis(20));
  }
}

Heard Lab::send(const std::string& base, const std::string& token, const Ask& ask) {
  Heard heard;
  const auto url = parse_url(base + ask.path);
  if (!url) {
    heard.trouble = url.error().message;
    return heard;
  }
  std::promise<void> done;
  const auto run = [&]() -> Task<> {
    Headers headers{{"content-type", "application/json"}, {"user-agent", "ajar-selftest"}};
    if (!token.empty()) headers.set("authorization", "Bearer " + token);
    CancelToken cancel;
    const TimePoint deadline = after(Millis(30'000));
    const ClientRequest request{.url = *url, .method = ask.method, .headers = headers, .body = ask.body,
                                .connect_deadline = deadline, .first_byte_deadline = deadline};
    {
      auto response = co_await client_->send(request, cancel);
      if (!response) {
        heard.trouble = response.error().message;
      } else {
        heard.status = response->status();
        heard.headers = response->headers();
        for (;;) {
          const auto bytes = co_await response->read(deadline);
          if (!bytes) {
            heard.trouble = bytes.error().message;
            break;
          }
          if (bytes->empty()) {
            heard.whole = true;
            break;
          }
          heard.body += *bytes;
          if (ask.on_bytes && !ask.on_bytes(*bytes)) {
            heard.trouble = "left";
            break;
          }
        }
      }
    }
    done.set_value();
  };
  loops_[0].spawn(run());
  done.get_future().wait();
  return heard;
}

}  // namespace ajar::app
