#include "app/config_table.h"

namespace ajar::app {
namespace {

constexpr int64_t kMany = 1'000'000'000;

using S = ServerConfig;
const Key<S> kServer[] = {
    {"listen", "[\"127.0.0.1:8080\"]", Texts<S>{&S::listen},
     "Addresses to listen on: \"host:port\", \"[::1]:port\", \":port\" for all. Port 0 takes any free one."},
    {"threads", "0", Whole<S>{&S::threads, 0, 1024}, "I/O threads; 0 is one per core."},
    {"auth", "\"keys\"", Text<S>{&S::auth},
     "\"keys\": every call needs a key made with `ajar keys`. \"open\": calls without a key are answered too; "
     "only for machines that nobody else can reach."},
    {"metrics", "\"open\"", Text<S>{&S::metrics},
     "\"open\": anyone who can reach the server may read /metrics. \"admin\": only with the admin token."},
    {"admin_token", "made at first start", Secret<S>{&S::admin_token},
     "Token of the admin API, as ${NAME}. Without it one is made and kept in the file admin.token in the data "
     "folder, readable by its owner only."},
    {"max_body", "\"32MiB\"", Bytes<S>{&S::max_body_bytes}, "Largest request body; a larger one is answered 413."},
    {"max_connections", "10000", Whole<S>{&S::max_connections, 1, kMany},
     "Open client connections; one more is answered 503."},
    {"header_timeout", "\"10s\"", Duration<S>{&S::header_timeout}, "For the whole head of a request."},
    {"body_timeout", "\"15s\"", Duration<S>{&S::body_timeout}, "Without any byte of a request's body."},
    {"idle_timeout", "\"75s\"", Duration<S>{&S::idle_timeout}, "Between two requests of a connection."},
    {"write_timeout", "\"30s\"", Duration<S>{&S::write_timeout},
     "Without a client taking any byte of its answer; then it counts as gone."},
    {"drain_timeout", "\"30s\"", Duration<S>{&S::drain_timeout},
     "How long running answers may take to end after SIGTERM or SIGINT."},
    {"access_log", "\"stdout\"", Text<S>{&S::access_log},
     "One JSON line per call: \"stdout\", \"off\", or a file that is appended to. Holds no texts and no secrets."},
};

using St = StoreConfig;
const Key<St> kStore[] = {
    {"path", "\"data\"", Text<St>{&St::path}, "Folder of the database and the admin token; made when missing."},
    {"keep_calls", "\"90d\"", Duration<St>{&St::keep_calls},
     "How long rows of single calls are kept. Sums for budgets outlive them."},
};

using L = LimitsConfig;
const Key<L> kLimits[] = {
    {"reserve_output_tokens", "4096", Whole<L>{&L::reserve_output_tokens, 1, kMany},
     "Output tokens reserved from budgets and TPM for a call that sets no max_tokens. The reservation grows with "
     "the reply; when the budget has no more room the reply is ended with an error."},
};

using C = CacheConfig;
const Key<C> kCache[] = {
    {"max_bytes", "\"256MiB\"", Bytes<C>{&C::max_bytes},
     "Memory for answers of all routes together; the longest unused make room. An answer larger than a 256th of it is not kept."},
    {"persist", "true", Flag<C>{&C::persist}, "Keep them in the data folder over a restart (cache.log; alike.log for questions that others may be like). Read at start."},
};

using Pr = PrivacyConfig;
const Key<Pr> kPrivacy[] = {
    {"entities", "all that point to one person, and secrets", Texts<Pr>{&Pr::entities},
     "What counts as personal data where a route looks for them and where they are masked, by Presidio's names: PERSON, EMAIL_ADDRESS, "
     "PHONE_NUMBER, CREDIT_CARD, IBAN_CODE, US_SSN, …, LOCATION, DATE_TIME, SECRET. The default leaves out places, dates, nationalities and web addresses. "
     "Read at start."},
};

using Po = PolicyConfigEntry;
const Key<Po> kPolicy[] = {
    {"check", "required", Text<Po>{&Po::check},
     "What is looked for: pii, secrets, words, regex, topics, schema, injection, hidden (characters that nobody sees), length, repetition, moderation, toxicity."},
    {"stage", "\"input\"", Text<Po>{&Po::stage}, "\"input\": requests, before anybody sees them. \"output\": answers, while they pass."},
    {"mode", "\"block\"", Text<Po>{&Po::mode},
     "\"observe\": only the log says so. \"window\": an answer's text is held only while it may still be part of a match. \"block\": an answer is held until it is whole."},
    {"action", "\"refuse\"", Text<Po>{&Po::action},
     "\"refuse\": a request is answered 403, an answer ends with content_filter. \"rewrite\": what was found is replaced. \"climb\": only the top rung may answer. "
     "\"allow\": the log says so."},
    {"entities", "all that point to one person", Texts<Po>{&Po::entities}, "Of pii, by Presidio's names."},
    {"minimum_score", "0.5", Real<Po>{&Po::minimum_score, 0, 1}, "Of pii and secrets: how sure a finding must be."},
    {"patterns", "[]", Texts<Po>{&Po::patterns}, "Of words: phrases, found as whole words in any case. Of regex: RE2 expressions, line by line."},
    {"replacement", "\"[removed]\"", Text<Po>{&Po::replacement}, "What words and regex are replaced by; others name what stood there: [PERSON]."},
    {"task", "none", Text<Po>{&Po::task}, "Of topics and toxicity: a [tasks.NAME] without embedder, asked for the label of the last question or the whole answer."},
    {"allow", "[]", Texts<Po>{&Po::allow}, "Of topics: only these."},
    {"deny", "[]", Texts<Po>{&Po::deny}, "Of topics: not these. Of toxicity: the labels that count, else \"toxic\"."},
    {"schema", "none", Text<Po>{&Po::schema}, "Of schema: a JSON Schema that answers must fit."},
    {"limit", "0", Whole<Po>{&Po::limit, 0, 1'000'000'000}, "Of length: bytes of one text. Of repetition: how often a run of words may come again."},
    {"threshold", "calibrated", Real<Po>{&Po::threshold, 0, 1}, "Of injection, moderation and toxicity: the score from which it counts; of toxicity the sum of its labels' probabilities, else 0.5."},
    {"categories", "all", Texts<Po>{&Po::categories}, "Of moderation, by OpenAI's names."},
};

using Ra = RagConfig;
const Key<Ra> kRag[] = {
    {"embedder", "\"sentence-transformers/all-MiniLM-L6-v2\"", Text<Ra>{&Ra::embedder},
     "The model that makes embeddings for new collections: a [models.NAME] or a pulled one; \"none\": words alone. Where the default was not pulled, words alone too. "
     "A collection keeps what it was made with. Read at start."},
    {"max_collections", "1000", Whole<Ra>{&Ra::max_collections, 1, kMany}, "Of one team, or of one key without a team. Read at start."},
    {"graph_rows", "200000", Whole<Ra>{&Ra::graph_rows, 0, kMany},
     "Vectors of a collection from which a graph of neighbours is made, in the background; fewer are scanned. 0: never. Read at start."},
    {"graph_degree", "32", Whole<Ra>{&Ra::graph_degree, 4, 256}, "Neighbours of a vector in the graph: 4 bytes of memory each, more find more. Read at start."},
    {"ocr", "\"auto\"", Text<Ra>{&Ra::ocr},
     "Text in images and scanned pages: \"auto\" reads it with tesseract where that is installed (Debian: tesseract-ocr), \"off\" refuses such files. Read at start."},
    {"ocr_languages", "\"eng\"", Text<Ra>{&Ra::ocr_languages}, "As tesseract names them, joined by '+': \"eng+deu\" needs tesseract-ocr-deu. Read at start."},
    {"ocr_pages", "200", Whole<Ra>{&Ra::ocr_pages, 1, 100'000}, "Scanned pages of one document that are read; its note says what was left out. Read at start."},
    {"ocr_seconds", "300", Whole<Ra>{&Ra::ocr_seconds, 1, 86'400}, "That reading the pictures of one document may take. Read at start."},
    {"context_route", "none", Text<Ra>{&Ra::context_route},
     "A route that writes one line about every chunk that is added, where it stands in its document; it is searched, never quoted. The key that adds a document "
     "pays. Read at start."},
    {"context_at_once", "4", Whole<Ra>{&Ra::context_at_once, 1, 64}, "Questions to that route at the same time. Read at start."},
    {"rerank", "none", Text<Ra>{&Ra::rerank},
     "A route of cross-encoders that scores what a search has found and puts it in order; a collection or a question may name another, or \"none\". The key that "
     "searches pays. Read at start."},
    {"rerank_candidates", "50", Whole<Ra>{&Ra::rerank_candidates, 2, 200}, "Passages that are scored, or as many as are asked for. Read at start."},
    {"rerank_timeout", "\"2s\"", Duration<Ra>{&Ra::rerank_timeout}, "Of one search. Without scores by then its own order stands. Read at start."},
    {"max_open", "32", Whole<Ra>{&Ra::max_open, 1, 10'000}, "Collections that stay open at once; the longest unused are closed. Read at start."},
    {"data_class", "\"internal\"", Text<Ra>{&Ra::data_class},
     "Class of what the documents say. Only targets that may see data of this class may have a `collection`."},
    {"store", "here", Text<Ra>{&Ra::store}, "A [vector_stores.NAME] that searches the vectors of new collections. A collection keeps what it was made with. Read at start."},
};

using V = VectorStoreConfig;
const Key<V> kVectorStore[] = {
    {"kind", "required", Text<V>{&V::kind}, "qdrant, pgvector, weaviate, milvus or pinecone."},
    {"url", "required", Text<V>{&V::url},
     "Where it is: http://HOST:6333 (qdrant), http://HOST:8080 (weaviate), http://HOST:19530 (milvus), the index's https://…pinecone.io (pinecone), "
     "postgresql://USER@HOST/DATABASE?sslmode=verify-full (pgvector; libpq's form, without a password)."},
    {"api_key_env", "none", Text<V>{&V::api_key_env}, "Name of the environment variable that holds its key; of pgvector the password, of milvus \"user:password\" or a token."},
    {"database", "the store's own", Text<V>{&V::database}, "Of milvus a database, of pgvector a schema, which is made where it is missing."},
    {"collection_prefix", "\"ajar\"", Text<V>{&V::collection_prefix},
     "What the names of collections there begin with (tables, classes, namespaces): small letters, digits and _, a letter first."},
    {"consistency", "the safest", Text<V>{&V::consistency},
     "weaviate: ONE, QUORUM or ALL, for writes. milvus: Strong, Bounded, Session or Eventually, for searches. qdrant: weak, medium or strong ordering of writes."},
    {"api_version", "\"2026-04\"", Text<V>{&V::api_version}, "pinecone: X-Pinecone-Api-Version."},
    {"ca_file", "the system's", Text<V>{&V::ca_file}, "PEM file of the CAs that may sign its certificate (of pgvector sslrootcert in the url)."},
    {"timeout", "\"10s\"", Duration<V>{&V::timeout}, "Of one call. After a failure the store is left alone for 1 s, doubled up to a minute."},
};

using D = DataClassConfig;
const Key<D> kDataClass[] = {
    {"rank", "0; of the built-in classes 0, 10, 20, 30", Whole<D>{&D::rank, 0, 1000},
     "Of several classes that apply to a call the highest rank holds."},
    {"site", "\"outside\"", Special<D>{"string"},
     "How far such data may go: \"local\" (models in this process, and others on this machine), \"own\" (own servers too) or \"outside\"."},
    {"masked", "as site", Special<D>{"string"},
     "How far it may go with personal data replaced by placeholders (PERSON_7F3A), which are put back into the answer."},
    {"jurisdictions", "[]", Texts<D>{&D::jurisdictions}, "Of providers outside: only those whose `jurisdiction` is one of these. Empty: any."},
    {"providers", "[]", Texts<D>{&D::providers}, "Only these providers. Empty: any."},
    {"cache", "true; false for restricted", Flag<D>{&D::cache}, "Whether answers may be kept."},
};

using B = BatchesConfig;
const Key<B> kBatches[] = {
    {"concurrency", "8", Whole<B>{&B::concurrency, 1, 1024},
     "Lines of batches that are asked at once, of all batches together. While clients wait for answers it is at most "
     "half of their number. Read at start."},
    {"max_lines", "50000", Whole<B>{&B::max_lines, 1, 10'000'000}, "Requests in one batch. Read at start."},
    {"keep_files", "\"30d\"", Duration<B>{&B::keep_files},
     "How long uploaded files and the answers of batches are kept; \"0s\" until they are deleted."},
    {"max_bytes", "\"10GiB\"", Bytes<B>{&B::max_bytes},
     "All files together; a further upload is answered 413. One upload may be as large as server.max_body."},
};

using Rs = ResponsesConfig;
const Key<Rs> kResponses[] = {
    {"store", "true", Flag<Rs>{&Rs::store},
     "Keep the responses of /v1/responses (unless a request says store: false), so that they can be read, deleted and "
     "continued with previous_response_id, whatever model answers. When false, `store` and previous_response_id go to "
     "providers that speak the Responses API themselves and are refused elsewhere."},
    {"retention_days", "30", Whole<Rs>{&Rs::retention_days, 1, 36'500}, "After which kept responses are deleted."},
};

using P = ProviderConfig;
const Key<P> kProvider[] = {
    {"preset", "\"custom\"", Text<P>{&P::preset},
     "What kind of server it is: openai, azure, anthropic, gemini, mistral, deepseek, groq, together, openrouter, "
     "fireworks, xai, moonshot, cerebras, perplexity, deepinfra, cohere, replicate, bedrock, vertex, vertex-anthropic, vllm, sglang, "
     "llamacpp, tensorrt-llm, tgi, ollama, ollama-native, lmstudio, local (models that this process runs itself: "
     "[models.NAME], or pulled ones), task (task models: [tasks.NAME]), or custom (any OpenAI-compatible server), "
     "custom-anthropic, custom-gemini; openai-responses, azure-responses and custom-responses for servers that speak "
     "OpenAI's Responses API."},
    {"base_url", "the preset's", Text<P>{&P::base_url}, "http or https URL up to and including the version path."},
    {"api_key", "none", Secret<P>{&P::api_key}, "As ${NAME}; sent the way the preset's API wants it."},
    {"api_version", "the preset's", Text<P>{&P::api_version}, "Azure's api-version, Anthropic's anthropic-version."},
    {"region", "none", Text<P>{&P::region}, "bedrock: the AWS region, such as us-east-1."},
    {"access_key_id", "none", Text<P>{&P::access_key_id},
     "bedrock: the id of an AWS access key; requests are signed with it (Signature Version 4). With api_key, a Bedrock "
     "API key, nothing is signed."},
    {"secret_access_key", "none", Secret<P>{&P::secret_access_key}, "bedrock: the access key itself, as ${NAME}."},
    {"session_token", "none", Secret<P>{&P::session_token}, "bedrock: of temporary credentials, as ${NAME}."},
    {"project", "none", Text<P>{&P::project}, "vertex, vertex-anthropic: the Google Cloud project."},
    {"location", "none", Text<P>{&P::location}, "vertex, vertex-anthropic: the location, such as europe-west4 or global."},
    {"credentials", "none", Text<P>{&P::credentials},
     "vertex, vertex-anthropic: the key file of a service account, read at start and at every reload. Its access tokens "
     "are fetched from the file's token_uri and renewed before they end. api_key may be an API key or an access token "
     "instead."},
    {"headers", "{}", Special<P>{"table of strings"}, "Sent with every request, such as a project id."},
    {"unknown_fields", "\"pass\"", Special<P>{"string"},
     "Fields that Ajar does not know: \"pass\" them on to a server of the same dialect, or \"drop\" them."},
    {"completions", "the preset's", Text<P>{&P::completions},
     "How prompts of the legacy /v1/completions are answered: \"native\" by the server's own /completions, \"chat\" as "
     "one user turn. Servers of open models and custom ones complete natively, OpenAI does for its instruct and base "
     "models."},
    {"ca_file", "the system's", Text<P>{&P::ca_file}, "PEM file of the CAs that may sign this server's certificate."},
    {"tls_insecure", "false", Flag<P>{&P::tls_insecure}, "Accept any certificate. For tests only."},
    {"price_list", "the preset's", Text<P>{&P::price_list}, "Which list of the built-in catalogue holds."},
    {"free", "true for own servers", Special<P>{"boolean"},
     "Models without a price cost nothing. Otherwise a key with a budget in dollars may not use them."},
    {"prices", "{}", Special<P>{"table of models"},
     "Dollars per million tokens by model, over the catalogue: [providers.NAME.prices.\"MODEL\"] with input, output, "
     "cached_read, cached_write, cached_write_1h, audio_input, audio_output, reasoning, and above + tier."},
    {"site", "by the preset", Text<P>{&P::site},
     "Where its machine stands, for data classes: \"local\", \"own\" or \"outside\". Models of this process are local, servers of open models "
     "(vllm, llamacpp, ollama, …) own, all others outside."},
    {"jurisdiction", "none", Text<P>{&P::jurisdiction}, "Such as \"eu\": for data classes that may only go to some."},
    {"simulator", "false", Flag<P>{&P::simulator},
     "Says that `ajar mock` stands behind it; answers carry x-ajar-simulator: true."},
};

using R = RouteConfig;
const Key<R> kRoute[] = {
    {"targets", "required", Special<R>{"array of tables"},
     "Who can answer, in order of preference: [[routes.NAME.targets]]."},
    {"strategy", "\"priority\"", Special<R>{"string"},
     "\"priority\": in the order of the file. \"weighted\": at random by weight. \"least_latency\": lowest peak "
     "average of the time to the first token, times the work in flight. \"cheapest\": lowest cost of this request. \"ladder\": in the "
     "order of the file, cheapest first, until an answer is allowed and good enough."},
    {"description", "\"\"", Text<R>{&R::description}, "For people."},
    {"retries", "1", Whole<R>{&R::retries, 0, 10},
     "More tries at the same target after a fault that may pass; only before the first event of a reply."},
    {"retry_backoff", "\"200ms\"", Duration<R>{&R::retry_backoff}, "Doubled with every try, with full jitter."},
    {"max_retry_wait", "\"5s\"", Duration<R>{&R::max_retry_wait},
     "Longest Retry-After that is waited for; a longer one goes to the client."},
    {"fallback_on", "all but \"invalid\"", Texts<R>{&R::fallback_on},
     "Failures after which the next target is tried: timeout, connection, rate_limit, server_error, auth, "
     "not_found, malformed (also an error inside a 200 stream), invalid."},
    {"connect_timeout", "\"5s\"", Duration<R>{&R::connect_timeout}, "Name, connection, proxy and TLS together."},
    {"first_token_timeout", "\"2m\"", Duration<R>{&R::first_token_timeout}, "From the request to the reply's first byte."},
    {"gap_timeout", "\"1m\"", Duration<R>{&R::gap_timeout}, "Between two pieces of a reply."},
    {"total_timeout", "\"10m\"", Duration<R>{&R::total_timeout}, "For the whole call, all attempts together."},
    {"hedge_after", "\"0s\"", Duration<R>{&R::hedge_after},
     "When the first target has said nothing for this long, the second is asked as well and the first to speak "
     "wins. 0 is off. The loser's tokens are paid for."},
    {"stay", "false", Flag<R>{&R::stay},
     "Ladders: when no better rung can be asked (not allowed, failing, over its limit, out of budget), give the surest answer there is, "
     "with x-ajar-unsure: true. Otherwise the client gets an error."},
    {"on_doubt", "\"climb\"", Special<R>{"string"},
     "Ladders: what to do when there is nothing to judge an answer by (no log probabilities came): \"climb\" or \"stay\"."},
    {"licences", "[]", Texts<R>{&R::licences}, "Only targets whose `licence` is one of these. Empty: all."},
    {"audit", "0", Real<R>{&R::audit, 0, 1},
     "Ladders: share of calls after which answers of judged rungs are compared with the top rung's, in the background: 0.01 to 0.05 keeps "
     "watch over the guarantee. A rung whose answers are proven to be wrong more often than alpha gets a higher threshold, or accepts nothing "
     "until a new calibration; the log and ajar_rung_… metrics say so."},
    {"audit_judge", "none", Text<R>{&R::audit_judge},
     "A route whose model says whether two answers say the same. Without it their texts are compared (final numbers where they are marked)."},
    {"alpha", "0.05", Real<R>{&R::alpha, 0.0001, 0.9999}, "Ladders: share of accepted answers that may be wrong."},
    {"delta", "0.05", Real<R>{&R::delta, 0.0001, 0.9999}, "Ladders: probability with which that guarantee may fail."},
    {"data_class", "\"internal\"", Text<R>{&R::data_class},
     "Of what is sent to this route. A client can raise it for a call with the header x-ajar-data-class, never lower it."},
    {"pii_class", "none", Text<R>{&R::pii_class}, "Data class that a request with personal data in it is raised to. None: they are not looked for."},
    {"secret_class", "none", Text<R>{&R::secret_class}, "The same for credentials (keys, tokens, passwords)."},
    {"policies", "[]", Texts<R>{&R::policies}, "Guardrails, by the names of [policies.NAME]."},
    {"cache", "\"off\"", Special<R>{"string"},
     "\"exact\": an equal request (all that can change its answer) of the same team is given the same answer again, and equal requests "
     "at the same time are asked once. A client can say x-ajar-cache: off, refresh or no-store. \"semantic\": also questions that are only worded "
     "otherwise, where one question stands alone (no conversation, tools, pictures or temperature): docs/ladder.md."},
    {"cache_embedder", "none", Text<R>{&R::cache_embedder}, "Of \"semantic\": the route whose first target makes the embeddings."},
    {"cache_delta", "0.02", Real<R>{&R::cache_delta, 0.0001, 0.5},
     "Of \"semantic\": share of requests that may get a wrong answer so. Each entry learns its own threshold from what the model says when it is asked all the same; "
     "of what would be served, the share `audit` is asked, too, and counted (ajar_cache_semantic_audits_total)."},
    {"cache_ttl", "\"1h\"", Duration<R>{&R::cache_ttl}, "How long an answer is kept."},
    {"cache_scope", "\"team\"", Special<R>{"string"},
     "Who shares answers: \"team\" (keys without a team share with nobody), \"key\", or \"route\": everybody who may use it."},
    {"canary", "none", Special<R>{"table"}, "A model that answers a share of the requests first: [routes.NAME.canary]."},
    {"shadow", "none", Special<R>{"table"}, "A model that is asked beside the route, and nobody is given what it says: [routes.NAME.shadow]."},
    {"breaker_failures", "5", Whole<R>{&R::breaker_failures, 0, 1'000'000},
     "Failures in a row after which a target is left alone; 0 is never."},
    {"breaker_open", "\"10s\"", Duration<R>{&R::breaker_open},
     "For how long; doubled up to eight times while probes fail."},
};

using Ca = CanaryConfig;
const Key<Ca> kCanary[] = {
    {"target", "required", Special<Ca>{"table"}, "Who it is, such as { provider = \"openai\", model = \"gpt-4o-mini\" }: the keys of [[routes.NAME.targets]]."},
    {"share", "0.05", Real<Ca>{&Ca::share, 0.0001, 1}, "Of the requests that it may answer, those that it is asked first. When it fails before its first word the usual targets follow."},
    {"alpha", "0.05", Real<Ca>{&Ca::alpha, 0.0001, 0.5},
     "Probability with which a candidate that is no worse is ever rolled back, or a worse one ever called no worse, however often one looks."},
    {"margin", "0.02", Real<Ca>{&Ca::margin, 0, 0.5},
     "By which its share of errors may be higher than the usual choice's: 0.02 is two in a hundred. It is rolled back when it is proven to be higher by more, "
     "and promotable when it is proven to be less."},
    {"min_samples", "50", Whole<Ca>{&Ca::min_samples, 1, 1'000'000}, "Answers of it before anything is concluded."},
    {"checks", "[]", Texts<Ca>{&Ca::checks},
     "What must hold of its answers and of the usual ones, looked at afterwards: names as in `checks` of a target. An answer that fails one is an error of whoever gave it."},
    {"first_token_timeout", "\"30s\"", Duration<Ca>{&Ca::first_token_timeout}, "For its first word, where the route's is not shorter; then the usual targets follow. 0: the route's."},
};

using Sh = ShadowConfig;
const Key<Sh> kShadow[] = {
    {"target", "required", Special<Sh>{"table"}, "Who it is: the keys of [[routes.NAME.targets]]."},
    {"share", "0.01", Real<Sh>{&Sh::share, 0.0001, 1}, "Of the answered requests, those that are sent to it, too, after the client has its answer."},
    {"max_running", "4", Whole<Sh>{&Sh::max_running, 1, 64}, "At once; what comes beyond is left out and counted. Of all routes together 64."},
};

using T = TargetConfig;
const Key<T> kTarget[] = {
    {"provider", "required", Text<T>{&T::provider}, "Name of a [providers.NAME]."},
    {"model", "the client's", Text<T>{&T::model},
     "The provider's own name of the model. Without it the client's name is passed on."},
    {"weight", "1", Whole<T>{&T::weight, 0, 1'000'000}, "Share under the weighted strategy."},
    {"max_tokens", "the dialect's", Whole<T>{&T::max_tokens, 0, 100'000'000},
     "Output limit for APIs that demand one, where the client sets none."},
    {"licence", "none", Text<T>{&T::licence}, "Class of the model's licence, such as \"open\", for routes with `licences`."},
    {"collection", "none", Text<T>{&T::collection},
     "Documents that its answers are drawn from: a collection of the caller's team or key, or else of the server (`ajar rag`). The model gets what "
     "was found, and each sentence that it says is held against it; with a provider of preset \"documents\" there is no model and the answer is "
     "quotes. With confidence = \"own\" the share of sentences that the documents bear out is the confidence, or the probability that they answer the question."},
    {"sources_in_text", "true", Flag<T>{&T::sources_in_text},
     "With `collection`: list the sources, and sentences without one, behind the answer, too; citations are in its annotations anyhow."},
    {"confidence", "\"none\"", Special<T>{"string"},
     "Ladders: what this rung is judged by. \"margin\": mean over its tokens of the distance between the two likeliest. \"logprob\": geometric "
     "mean of its tokens' probabilities. \"agree\": the share of `samples` answers that say the same. \"own\": the model says it itself. "
     "\"learned\": a model of right and wrong answers says it (`score`). "
     "\"none\": every answer that passes the checks is accepted."},
    {"accept", "the calibration's, or the task model's own", Special<T>{"number"}, "Least confidence that is good enough, above 0 and up to 1."},
    {"calibration", "none", Special<T>{"string"},
     "File that `ajar calibrate` wrote: it turns the confidence into a probability of being right, and sets `accept` so that the route's alpha "
     "and delta hold. Read at start and at every reload."},
    {"score", "none", Special<T>{"string"},
     "Of \"learned\": the file that `ajar tune answers` made from answers that somebody judged. Read at start and at every reload."},
    {"checks", "[]", Special<T>{"strings"},
     "What must hold of the answer, too: \"json\" (it is JSON), \"schema\" (it fits the request's schema), \"not_empty\", \"not_refused\" (it does "
     "not decline), \"whole\" (it did not end for lack of room), \"arithmetic\" (the calculations it states are right), \"citations\" (what it cites as [1], [2] is among "
     "the request's documents and results of tools, in their order, and shares its words). An answer that fails one climbs."},
    {"hold_tokens", "0", Special<T>{"integer"},
     "Decide after so many tokens and let the rest flow; 0: the whole answer is held until it is judged."},
    {"samples", "3", Special<T>{"integer"}, "Of \"agree\", the first answer included: 2 to 16."},
    {"max_wait", "\"0s\"", Special<T>{"duration"},
     "Climb when the first token would take longer because of others who wait. 0: never."},
};

using Tk = TokenizerConfig;
const Key<Tk> kTokenizer[] = {
    {"file", "required", Text<Tk>{&Tk::file},
     "A rank file of OpenAI's tiktoken (o200k_base.tiktoken, cl100k_base.tiktoken) or a GGUF model with its vocabulary "
     "(byte-level BPE or SentencePiece)."},
    {"family", "told by the file's name", Text<Tk>{&Tk::family}, "Of a rank file: o200k, cl100k, p50k or r50k."},
    {"models", "[]", Texts<Tk>{&Tk::models},
     "The upstream models that use it, as targets name them; a trailing '*' matches any ending. Their tokens are then "
     "counted where a client asks for a count. Without a file, counts are estimates that learn from what the provider "
     "reports."},
};

using En = EngineConfig;
const Key<En> kEngine[] = {
    {"threads", "0", Whole<En>{&En::threads, 0, 1024}, "Threads that compute, of all models together; 0 is one per core. Read at start."},
    {"memory", "three quarters of what there is", Bytes<En>{&En::memory_bytes},
     "For weights and caches of all models together. What there is: the control group's limit, or the machine's memory. Models "
     "that are not used give way, the longest unused first. Read at start."},
    {"kernels", "the fastest", Text<En>{&En::kernels},
     "Which instructions are used: amx, avx512-vnni, avx512, avx2-vnni, avx2, neon-dotprod, neon or portable, as far as the machine has them. Without it, what "
     "multiplies fastest is timed when a model is loaded, by the weights' format and the number of rows, and logged. Read at start."},
};

using Mo = ModelConfigEntry;
const Key<Mo> kModel[] = {
    {"path", "required", Text<Mo>{&Mo::path},
     "A GGUF file (of a split one the first part) or a folder as Hugging Face lays it out."},
    {"context", "the model's own", Whole<Mo>{&Mo::context, 16, 10'000'000},
     "Longest conversation in tokens, the answer included. A longer prompt is refused with both numbers; nothing is cut off."},
    {"cache", "an eighth of the engine's memory at most", Bytes<Mo>{&Mo::cache_bytes},
     "For keys and values of all its conversations together, and for beginnings that may come again."},
    {"kv", "\"f16\"", Special<Mo>{"string"},
     "How keys and values are kept: \"f16\" as halves, \"q8_0\" as 8-bit integers with a scale for 32 of them, so that the same bytes hold nearly "
     "twice the tokens. Answers differ a little, as if the model's weights were in Q8_0."},
    {"deterministic", "false", Flag<Mo>{&Mo::deterministic},
     "The same request gives the same logits bit by bit, whoever else is answered at the same time and whatever is cached. "
     "Long prompts are read more slowly where the machine has AMX, and the widest instructions are used untimed."},
    {"exact", "false", Flag<Mo>{&Mo::exact},
     "An encoder whose file holds floats is computed in floats. Otherwise they are rounded to Q8_0 when it is loaded: a quarter of the memory "
     "and several times the speed, with vectors whose cosine to the exact ones is above 0.999."},
    {"pinned", "false", Flag<Mo>{&Mo::pinned}, "Loaded at start, and never let go for another model."},
    {"chat_template", "the model's own", Text<Mo>{&Mo::chat_template}, "A file with a Jinja template to use instead."},
    {"adapters", "{}", Special<Mo>{"table of strings"},
     "LoRA adapters by name: GGUF files, or folders as PEFT writes them. A target or request whose model is \"NAME:ADAPTER\" uses one, "
     "and so does a request with the field adapter. A reload adds and drops them without loading the model anew."},
    {"speculate", "4", Whole<Mo>{&Mo::speculate, 0, 15},
     "How many tokens are guessed ahead where a text repeats itself or its prompt, and checked in one step, as long as that measurably "
     "pays. The answers are the same; 0 turns it off."},
    {"draft", "none", Text<Mo>{&Mo::draft},
     "Another local model, much smaller and with the same tokenizer, that guesses ahead where the text itself gives no hint: as many tokens as "
     "`speculate` says, as long as that measurably pays. The answers are the same."},
    {"prefix_disk", "none", Text<Mo>{&Mo::prefix_disk},
     "A folder for the beginnings of conversations that memory gives up: they are read back instead of computed, after a restart as well. The model has "
     "a folder of its own in it. The files hold what users wrote, as keys and values: keep them as you keep conversations."},
    {"prefix_disk_mb", "1024", Whole<Mo>{&Mo::prefix_disk_mb, 1, 100'000'000}, "How many MiB these files may take."},
};

using Ta = TaskConfig;
const Key<Ta> kTask[] = {
    {"path", "required", Text<Ta>{&Ta::path}, "A file that `ajar tune task` wrote. Read at start and at every reload."},
    {"embedder", "none", Text<Ta>{&Ta::embedder},
     "The model that makes its embeddings: a [models.NAME] or a pulled one. Not for task models of n-grams alone."},
};

}  // namespace

std::span<const Key<TaskConfig>> task_keys() { return kTask; }
std::span<const Key<CacheConfig>> cache_keys() { return kCache; }
std::span<const Key<PolicyConfigEntry>> policy_keys() { return kPolicy; }
std::span<const Key<PrivacyConfig>> privacy_keys() { return kPrivacy; }
std::span<const Key<RagConfig>> rag_keys() { return kRag; }
std::span<const Key<VectorStoreConfig>> vector_store_keys() { return kVectorStore; }
std::span<const Key<DataClassConfig>> data_class_keys() { return kDataClass; }
std::span<const Key<EngineConfig>> engine_keys() { return kEngine; }
std::span<const Key<ModelConfigEntry>> model_keys() { return kModel; }
std::span<const Key<ServerConfig>> server_keys() { return kServer; }
std::span<const Key<StoreConfig>> store_keys() { return kStore; }
std::span<const Key<LimitsConfig>> limits_keys() { return kLimits; }
std::span<const Key<BatchesConfig>> batches_keys() { return kBatches; }
std::span<const Key<ResponsesConfig>> responses_keys() { return kResponses; }
std::span<const Key<ProviderConfig>> provider_keys() { return kProvider; }
std::span<const Key<RouteConfig>> route_keys() { return kRoute; }
std::span<const Key<TargetConfig>> target_keys() { return kTarget; }
std::span<const Key<CanaryConfig>> canary_keys() { return kCanary; }
std::span<const Key<ShadowConfig>> shadow_keys() { return kShadow; }
std::span<const Key<TokenizerConfig>> tokenizer_keys() { return kTokenizer; }

}  // namespace ajar::app
