#include "provider/upstream.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace ajar {
namespace {

bool is_vertex(const Preset& preset) { return preset.auth == AuthStyle::kGoogle; }

Result<Headers> make_headers(const UpstreamSpec& spec, AuthStyle auth) {
  Headers headers;
  headers.set("content-type", "application/json");
  headers.set("accept-encoding", "identity");
  headers.set("user-agent", "ajar/0.1");
  if (!spec.api_key.empty()) {
    if (!Headers::valid_value(spec.api_key)) {
      return invalid("api_key", "the key has characters that cannot stand in an HTTP header");
    }
    switch (auth) {
      case AuthStyle::kAws:
      case AuthStyle::kBearer: headers.set("authorization", "Bearer " + spec.api_key); break;
      case AuthStyle::kXApiKey: headers.set("x-api-key", spec.api_key); break;
      case AuthStyle::kApiKey: headers.set("api-key", spec.api_key); break;
      case AuthStyle::kGoogApiKey: headers.set("x-goog-api-key", spec.api_key); break;
      case AuthStyle::kGoogle:  // Google's access tokens begin so
        if (spec.api_key.starts_with("ya29.")) headers.set("authorization", "Bearer " + spec.api_key);
        else headers.set("x-goog-api-key", spec.api_key);
        break;
    }
  }
  for (const auto& [name, value] : spec.headers) {
    if (!Headers::valid_name(name) || !Headers::valid_value(value)) {
      return invalid("headers", "'" + name + "' is not a valid HTTP header");
    }
    headers.set(name, value);
  }
  return headers;
}

// Null where a fixed header does. A server of one's own address may need no credentials: a proxy that has them.
Result<std::shared_ptr<Authorizer>> make_authorizer(const UpstreamSpec& spec, const Preset& preset, const TlsOptions& tls) {
  const bool aws = preset.auth == AuthStyle::kAws, google = is_vertex(preset);
  if (!aws) {
    for (const auto& [name, value] : {std::pair("access_key_id", &spec.access_key_id), {"secret_access_key", &spec.secret_access_key},
                                      {"session_token", &spec.session_token}, {"region", &spec.region}}) {
      if (!value->empty()) return invalid(name, "preset '" + spec.preset + "' has no use for " + name);
    }
  }
  if (!google) {
    for (const auto& [name, value] : {std::pair("credentials", &spec.credentials), {"project", &spec.project}, {"location", &spec.location}}) {
      if (!value->empty()) return invalid(name, "preset '" + spec.preset + "' has no use for " + name);
    }
  }
  if (!spec.api_key.empty() || (!aws && !google)) return nullptr;
  if (aws) {
    const AwsCredentials credentials{spec.access_key_id, spec.secret_access_key, spec.session_token};
    const bool any = !credentials.access_key_id.empty() || !credentials.secret_access_key.empty();
    if (!any && !spec.base_url.empty()) return nullptr;
    for (const auto& [name, value] : {std::pair("access_key_id", &spec.access_key_id), {"secret_access_key", &spec.secret_access_key}}) {
      if (value->empty()) return invalid(name, "preset '" + spec.preset + "' needs access_key_id and secret_access_key, or api_key");
      if (!Headers::valid_value(*value)) return invalid(name, "it has characters that cannot stand in an HTTP header");
    }
    if (!Headers::valid_value(spec.session_token)) {
      return invalid("session_token", "it has characters that cannot stand in an HTTP header");
    }
    return new_aws_authorizer(credentials, spec.region, "bedrock");
  }
  if (spec.credentials.empty()) {
    if (!spec.base_url.empty()) return nullptr;
    return invalid("credentials", "preset '" + spec.preset + "' needs credentials (the key file of a service account) or api_key");
  }
  std::ifstream stream(spec.credentials, std::ios::binary);
  std::stringstream text;
  if (stream) text << stream.rdbuf();
  if (!stream) return invalid("credentials", "the credentials file " + spec.credentials + " cannot be read");
  return new_google_authorizer(text.view(), spec.credentials, tls);
}

// The part of a host's name or of a path that the configuration names.
Status check_name(std::string_view field, const std::string& value) {
  if (value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == value.npos) return {};
  return invalid(std::string(field), "'" + value + "' has characters that cannot stand in an address");
}

Result<std::string> base_url_of(const UpstreamSpec& spec, const Preset& preset) {
  std::string url = spec.base_url.empty() ? std::string(preset.base_url) : spec.base_url;
  if (url.empty()) return invalid("base_url", "preset '" + spec.preset + "' needs a base_url");
  const std::string global = "{location}-";  // the global endpoint has no region before its name
  if (const size_t at = url.find(global); at != url.npos && spec.location == "global") url.erase(at, global.size());
  for (const auto& [field, value] : {std::pair("region", &spec.region), {"location", &spec.location}}) {
    AJAR_TRY(check_name(field, *value));
    const std::string mark = std::string("{") + field + "}";
    const size_t at = url.find(mark);
    if (at == url.npos) continue;
    if (value->empty()) return invalid(field, "preset '" + spec.preset + "' needs a " + field);
    url.replace(at, mark.size(), *value);
  }
  return url;
}

// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
Status add_vertex_path(const UpstreamSpec& spec, const Preset& preset, std::string& path) {
  AJAR_TRY(check_name("project", spec.project));
  if (path.empty()) path = "/v1";
  if (!spec.project.empty()) {
    if (spec.location.empty()) return invalid("location", "preset '" + spec.preset + "' needs a location");
    path += "/projects/" + spec.project + "/locations/" + spec.location;
  } else if (!spec.credentials.empty()) {
    return invalid("project", "preset '" + spec.preset + "' needs a project");
  }
  path += preset.dialect == DialectId::kAnthropic ? "/publishers/anthropic" : "/publishers/google";
  return {};
}

}  // namespace

void redact(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (size_t at = 0; (at = text.find(secret, at)) != text.npos;) text.replace(at, secret.size(), "***");
}

void Upstream::redact(Error& error) const {
  for (const std::string& secret : secrets) ajar::redact(error.message, secret);
}

Result<std::shared_ptr<const Upstream>> make_upstream(const UpstreamSpec& spec) {
  const Preset* preset = find_preset(spec.preset);
  if (!preset) {
    std::string known;
    for (const Preset& p : presets()) known += (known.empty() ? "" : ", ") + std::string(p.name);
    return invalid("preset", "unknown preset '" + spec.preset + "'; known are " + known);
  }
  AJAR_ASSIGN(const std::string base_url, base_url_of(spec, *preset));
  auto upstream = std::make_shared<Upstream>();
  auto url = parse_url(base_url);
  if (!url) return invalid("base_url", url.error().message);
  upstream->base = std::move(*url);
  while (upstream->base.target.ends_with('/')) upstream->base.target.pop_back();
  if (is_vertex(*preset)) AJAR_TRY(add_vertex_path(spec, *preset, upstream->base.target));
  upstream->provider = spec.provider;
  upstream->secrets = {spec.api_key, spec.secret_access_key, spec.session_token};
  upstream->dialect = preset->dialect;
  AJAR_ASSIGN(upstream->headers, make_headers(spec, preset->auth));
  upstream->tls.ca_file = spec.ca_file;
  upstream->tls.insecure = spec.tls_insecure;
  AJAR_ASSIGN(upstream->authorizer, make_authorizer(spec, *preset, upstream->tls));
  if (preset->auth == AuthStyle::kAws && upstream->authorizer && spec.region.empty()) {
    return invalid("region", "preset '" + spec.preset + "' needs a region");
  }
  upstream->info.preset = spec.preset;
  upstream->info.base_path = upstream->base.target;
  upstream->info.api_version = spec.api_version;
  upstream->info.keep_unknown = spec.keep_unknown;
  return upstream;
}

Result<std::shared_ptr<const Upstream>> Upstreams::get(const UpstreamSpec& spec) {
  std::string id;
  for (const std::string* text : {&spec.provider, &spec.preset, &spec.base_url, &spec.api_key, &spec.api_version, &spec.ca_file,
                                  &spec.region, &spec.access_key_id, &spec.secret_access_key, &spec.session_token,
                                  &spec.project, &spec.location, &spec.credentials}) {
    id.append(*text).push_back('\n');
  }
  for (const auto& [name, value] : spec.headers) id.append(name).append(":").append(value).append("\n");
  id += spec.keep_unknown ? "k" : "-";
  id += spec.tls_insecure ? "i" : "-";
  std::error_code error;
  const auto written = std::filesystem::last_write_time(spec.credentials, error);
  if (!error) id += std::to_string(written.time_since_epoch().count());
  std::erase_if(made_, [](const auto& entry) { return entry.second.expired(); });
  auto& slot = made_[id];
  if (auto known = slot.lock()) return known;
  AJAR_ASSIGN(auto made, make_upstream(spec));
  slot = made;
  return made;
}

}  // namespace ajar
