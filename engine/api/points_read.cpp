// Routes that read points.
#include <algorithm>
#include <optional>
#include <variant>

#include "engine/api/answer_json.h"
#include "engine/api/call.h"
#include "engine/api/codec_reads.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/limits.h"

namespace vz::api {
namespace {

using collection::Reader;

// Beyond these a read leaves its io thread for the pool.
constexpr std::uint64_t kInlineScanRowsMax = 20'000;
constexpr std::size_t kInlinePointsMax = 1'000;

enum class Cost : std::uint8_t { kLow, kHigh };

/// A read that may compare or decode every row.
Cost cost_of_scan(const Reader& reader) {
  return reader.stats().points > kInlineScanRowsMax ? Cost::kHigh : Cost::kLow;
}

Cost cost_of_points(std::size_t points) {
  return points > kInlinePointsMax ? Cost::kHigh : Cost::kLow;
}

/// What a read has found.
struct Found {
  std::string result;  ///< JSON text
  std::uint64_t rows = 0;
  std::uint32_t ef = 0;  ///< that graphs were searched with; 0: none was
};

// ---- what a read is about, for the log of slow ones -------------------------------------------

QueryFacts facts_of(const collection::SearchRequest& request) {
  return {.limit = request.limit, .filter = !request.filter.empty(), .exact = request.exact};
}
QueryFacts facts_of(const ListPoints& request) {
  return {.limit = request.limit, .filter = !request.filter.empty()};
}
QueryFacts facts_of(const QueryPoints& request) {
  return std::visit([](const auto& one) { return facts_of(one); }, request);
}
QueryFacts facts_of(const GetPoints& request) {
  return {.limit = request.ids.size()};
}
QueryFacts facts_of(const collection::ScrollRequest& request) {
  return {.limit = request.limit, .filter = !request.filter.empty()};
}
QueryFacts facts_of(const payload::Filter& filter) {
  return {.filter = !filter.empty()};
}
template <typename Request>
QueryFacts facts_of(const std::vector<Request>& requests) {
  QueryFacts out{.searches = static_cast<std::uint32_t>(requests.size())};
  for (const Request& request : requests) {
    const QueryFacts one = facts_of(request);
    out.limit = std::max(out.limit, one.limit);
    out.filter = out.filter || one.filter;
    out.exact = out.exact || one.exact;
  }
  return out;
}

// ---- the answer, read or from the cache -------------------------------------------------------

/// Whether answers of a read may be given again. They may depend on the request and the collection
/// alone: never on the time or on chance.
enum class Again : std::uint8_t { kNo, kYes };

struct ReadKind {
  std::string_view op;
  Again again = Again::kNo;
};

CachedRequest cached_request(Call& call, std::string_view op) {
  const std::string_view target = call.head().target;
  return {.op = op,
          .parameters = target.substr(std::min(target.find('?'), target.size())),
          .body = call.body()};
}

/// What the read will see, if its answer may come from the cache or go there.
std::optional<collection::ContentVersion> version_to_cache(Call& call, const Reader& reader,
                                                           const ReadKind& kind) {
  QueryCache& cache = call.service().query_cache;
  if (kind.again == Again::kNo || !cache.enabled()) return std::nullopt;
  auto version = reader.content_version();
  if (!version) cache.count_miss();
  return version;
}

bool answered_from_cache(Call& call, std::string_view op,
                         const collection::ContentVersion& version) {
  const auto kept = call.service().query_cache.find(cached_request(call, op), version);
  if (kept == nullptr) return false;
  QueryFacts facts = kept->facts;
  facts.cached = true;
  call.tell(facts);
  call.answer(kept->result);
  return true;
}

/// before: version_to_cache() from before the read. When it holds still, the read saw just that.
void answer_found(Call& call, const Reader& reader,
                  const std::optional<collection::ContentVersion>& before, Result<Found> found) {
  if (!found) return call.answer_error(found.error());
  QueryFacts facts = *call.facts();
  facts.rows = found->rows;
  facts.ef = found->ef;
  call.tell(facts);
  if (before && reader.content_version() == before) {
    call.service().query_cache.keep(cached_request(call, facts.op), *before, found->result, facts);
  }
  call.answer(std::move(found->result));
}

/// Answers with read(reader, request) of the collection that the path names and the request in the
/// body; on the pool if cost(reader, request) is high.
template <typename Request, typename CostOf, typename Read>
void answer_read(std::shared_ptr<Call> call, const ReadKind& kind,
                 Result<Request> (*decode)(std::string&), const CostOf& cost, const Read& read) {
  if (const Status admitted = call->node().admit_search(); !admitted)
    return call->answer_error(admitted.error());
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  fill_empty(call->body());  // Now: what is kept must be what is looked for.
  const auto version = version_to_cache(*call, **reader, kind);
  if (version && answered_from_cache(*call, kind.op, *version)) return;
  auto request = decode(call->body());
  if (!request) return call->answer_error(request.error());
  QueryFacts facts = facts_of(*request);
  facts.op = kind.op;
  call->tell(facts);
  if (cost(**reader, *request) == Cost::kLow)
    return answer_found(*call, **reader, version, read(**reader, *request));
  // The queue holds copyable functions, so the request is shared rather than moved in.
  auto shared = std::make_shared<Request>(*std::move(request));
  Call::offload(call, [call, reader = *reader, version, shared, read] {
    answer_found(*call, *reader, version, read(*reader, *shared));
  });
}

// ---- the reads --------------------------------------------------------------------------------

Result<Found> find_nearest(const Reader& reader, const collection::SearchRequest& request) {
  VZ_TRY_ASSIGN(const collection::SearchOutcome outcome, reader.search(request));
  Found found{.result = {}, .rows = outcome.points.size(), .ef = outcome.ef};
  append_scored_points(found.result, outcome.points, request.selection);
  return found;
}

/// Pages through the collection, because one scroll may not return offset + limit points.
Result<std::vector<collection::Record>> list_points(const Reader& reader,
                                                    const ListPoints& request) {
  std::vector<collection::Record> found;
  std::size_t to_skip = request.offset;
  std::optional<PointId> from;
  while (found.size() < request.limit) {
    collection::ScrollRequest page{
        .offset = from, .limit = 0, .filter = request.filter, .selection = {}};
    if (to_skip == 0) page.selection = request.selection;
    page.limit = std::min(limits::kLimitMax, to_skip > 0 ? to_skip : request.limit - found.size());
    VZ_TRY_ASSIGN(collection::ScrollOutcome outcome, reader.scroll(page));
    if (to_skip > 0) {
      to_skip -= std::min(to_skip, outcome.points.size());
    } else {
      std::move(outcome.points.begin(), outcome.points.end(), std::back_inserter(found));
    }
    if (!outcome.next_page_offset) break;
    from = outcome.next_page_offset;
  }
  return found;
}

Result<Found> find_listed(const Reader& reader, const ListPoints& request) {
  VZ_TRY_ASSIGN(const auto records, list_points(reader, request));
  Found found{.result = "[", .rows = records.size()};
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) found.result += ',';
    append_scored(found.result, {.record = records[i], .score = 0}, request.selection);
  }
  found.result += ']';
  return found;
}

/// {"points":[..]}.
Result<Found> find_queried(const Reader& reader, const QueryPoints& request) {
  const auto* search = std::get_if<collection::SearchRequest>(&request);
  VZ_TRY_ASSIGN(Found found, search != nullptr
                                 ? find_nearest(reader, *search)
                                 : find_listed(reader, std::get<ListPoints>(request)));
  found.result.insert(0, "{\"points\":");
  found.result += '}';
  return found;
}

/// A JSON array of what `one` makes of each request; the first error wins.
template <typename Request, typename One>
Result<Found> find_each(const Reader& reader, const std::vector<Request>& requests,
                        const One& one) {
  Found all{.result = "["};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i > 0) all.result += ',';
    VZ_TRY_ASSIGN(const Found found, one(reader, requests[i]));
    all.result += found.result;
    all.rows += found.rows;
    all.ef = std::max(all.ef, found.ef);
  }
  all.result += ']';
  return all;
}

Result<Found> find_point(const Reader& reader, const std::string& path_id) {
  VZ_TRY_ASSIGN(const PointId id, parse_path_id(path_id));
  collection::PointSelection selection;
  selection.payload.mode = payload::Selection::Mode::kAll;
  selection.vectors.mode = collection::VectorSelection::Mode::kAll;
  VZ_TRY_ASSIGN(const auto records, reader.get({&id, 1}, selection));
  if (records.empty())
    return fail(ErrorCode::kNotFound, "No point with id " + id.to_string() + " found");
  Found found{.result = {}, .rows = 1};
  append_record(found.result, records.front(), selection);
  return found;
}

Cost cost_of_search(const Reader& reader, const collection::SearchRequest& request) {
  return request.exact ? cost_of_scan(reader) : Cost::kLow;
}

Cost cost_of_query(const Reader& reader, const QueryPoints& request) {
  if (const auto* search = std::get_if<collection::SearchRequest>(&request))
    return cost_of_search(reader, *search);
  const auto& list = std::get<ListPoints>(request);
  return list.filter.empty() ? cost_of_points(list.offset + list.limit) : cost_of_scan(reader);
}

}  // namespace

void get_point(std::shared_ptr<Call> call) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  call->tell({.op = "get", .limit = 1});
  answer_found(*call, **reader, std::nullopt, find_point(**reader, call->argument(1)));
}

void get_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), {.op = "get"}, decode_get,
      [](const Reader&, const GetPoints& request) { return cost_of_points(request.ids.size()); },
      [](const Reader& reader, const GetPoints& request) -> Result<Found> {
        VZ_TRY_ASSIGN(const auto records, reader.get(request.ids, request.selection));
        Found found{.result = {}, .rows = records.size()};
        append_records(found.result, records, request.selection);
        return found;
      });
}

/// Its answers are not kept: whoever pages through a collection asks for each page once.
void scroll_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), {.op = "scroll"}, decode_scroll,
      [](const Reader& reader, const collection::ScrollRequest& request) {
        return request.filter.empty() ? cost_of_points(request.limit) : cost_of_scan(reader);
      },
      [](const Reader& reader, const collection::ScrollRequest& request) -> Result<Found> {
        VZ_TRY_ASSIGN(const collection::ScrollOutcome outcome, reader.scroll(request));
        Found found{.result = "{\"points\":", .rows = outcome.points.size()};
        append_records(found.result, outcome.points, request.selection);
        found.result += ",\"next_page_offset\":";
        if (outcome.next_page_offset) {
          append_id(found.result, *outcome.next_page_offset);
        } else {
          found.result += "null";
        }
        found.result += '}';
        return found;
      });
}

void count_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), {.op = "count", .again = Again::kYes}, decode_count,
      [](const Reader& reader, const payload::Filter& filter) {
        return filter.empty() ? Cost::kLow : cost_of_scan(reader);
      },
      [](const Reader& reader, const payload::Filter& filter) -> Result<Found> {
        VZ_TRY_ASSIGN(const std::uint64_t count, reader.count(filter));
        return Found{.result = "{\"count\":" + std::to_string(count) + "}", .rows = count};
      });
}

void search_points(std::shared_ptr<Call> call) {
  answer_read(std::move(call), {.op = "search", .again = Again::kYes}, decode_search,
              cost_of_search, find_nearest);
}

void search_points_batch(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), {.op = "search-batch", .again = Again::kYes}, decode_search_batch,
      [](const Reader&, const auto&) { return Cost::kHigh; },
      [](const Reader& reader, const std::vector<collection::SearchRequest>& requests) {
        return find_each(reader, requests, find_nearest);
      });
}

void query_points(std::shared_ptr<Call> call) {
  answer_read(std::move(call), {.op = "query", .again = Again::kYes}, decode_query, cost_of_query,
              find_queried);
}

void query_points_batch(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), {.op = "query-batch", .again = Again::kYes}, decode_query_batch,
      [](const Reader&, const auto&) { return Cost::kHigh; },
      [](const Reader& reader, const std::vector<QueryPoints>& requests) {
        return find_each(reader, requests, find_queried);
      });
}

}  // namespace vz::api
