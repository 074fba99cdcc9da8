// Routes that read points.
#include <algorithm>

#include "engine/api/answer_json.h"
#include "engine/api/call.h"
#include "engine/api/codec_reads.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/limits.h"

namespace vz::api {
namespace {

using collection::Reader;
using Text = Result<std::string>;

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

/// Answers with read(reader, request), JSON text, of the collection that the path names and the
/// request in the body; on the pool if cost(reader, request) is high.
template <typename Request, typename CostOf, typename Read>
void answer_read(std::shared_ptr<Call> call, Result<Request> (*decode)(std::string&),
                 const CostOf& cost, const Read& read) {
  if (const Status admitted = call->node().admit_search(); !admitted)
    return call->answer_error(admitted.error());
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  auto request = decode(call->body());
  if (!request) return call->answer_error(request.error());
  if (cost(**reader, *request) == Cost::kLow) return call->answer_result(read(**reader, *request));
  // The queue holds copyable functions, so the request is shared rather than moved in.
  auto shared = std::make_shared<Request>(*std::move(request));
  Call::offload(call, [call, reader = *reader, shared, read] {
    call->answer_result(read(*reader, *shared));
  });
}

Text search_json(const Reader& reader, const collection::SearchRequest& request) {
  VZ_TRY_ASSIGN(const collection::SearchOutcome outcome, reader.search(request));
  std::string out;
  append_scored_points(out, outcome.points, request.selection);
  return out;
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

Text list_json(const Reader& reader, const ListPoints& request) {
  VZ_TRY_ASSIGN(const auto records, list_points(reader, request));
  std::string out = "[";
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i > 0) out += ',';
    append_scored(out, {.record = records[i], .score = 0}, request.selection);
  }
  out += ']';
  return out;
}

/// {"points":[..]}.
Text query_json(const Reader& reader, const QueryPoints& request) {
  std::string out = "{\"points\":";
  if (const auto* search = std::get_if<collection::SearchRequest>(&request)) {
    VZ_TRY_ASSIGN(const std::string points, search_json(reader, *search));
    out += points;
  } else {
    VZ_TRY_ASSIGN(const std::string points, list_json(reader, std::get<ListPoints>(request)));
    out += points;
  }
  out += '}';
  return out;
}

/// A JSON array of what `one` makes of each request; the first error wins.
template <typename Request, typename One>
Text each_json(const Reader& reader, const std::vector<Request>& requests, const One& one) {
  std::string out = "[";
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i > 0) out += ',';
    VZ_TRY_ASSIGN(const std::string text, one(reader, requests[i]));
    out += text;
  }
  out += ']';
  return out;
}

Text point_json(const Reader& reader, const std::string& path_id) {
  VZ_TRY_ASSIGN(const PointId id, parse_path_id(path_id));
  collection::PointSelection selection;
  selection.payload.mode = payload::Selection::Mode::kAll;
  selection.vectors.mode = collection::VectorSelection::Mode::kAll;
  VZ_TRY_ASSIGN(const auto records, reader.get({&id, 1}, selection));
  if (records.empty())
    return fail(ErrorCode::kNotFound, "No point with id " + id.to_string() + " found");
  std::string out;
  append_record(out, records.front(), selection);
  return out;
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
  call->answer_result(point_json(**reader, call->argument(1)));
}

void get_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), decode_get,
      [](const Reader&, const GetPoints& request) { return cost_of_points(request.ids.size()); },
      [](const Reader& reader, const GetPoints& request) -> Text {
        VZ_TRY_ASSIGN(const auto records, reader.get(request.ids, request.selection));
        std::string out;
        append_records(out, records, request.selection);
        return out;
      });
}

void scroll_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), decode_scroll,
      [](const Reader& reader, const collection::ScrollRequest& request) {
        return request.filter.empty() ? cost_of_points(request.limit) : cost_of_scan(reader);
      },
      [](const Reader& reader, const collection::ScrollRequest& request) -> Text {
        VZ_TRY_ASSIGN(const collection::ScrollOutcome outcome, reader.scroll(request));
        std::string out = "{\"points\":";
        append_records(out, outcome.points, request.selection);
        out += ",\"next_page_offset\":";
        if (outcome.next_page_offset) {
          append_id(out, *outcome.next_page_offset);
        } else {
          out += "null";
        }
        out += '}';
        return out;
      });
}

void count_points(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), decode_count,
      [](const Reader& reader, const payload::Filter& filter) {
        return filter.empty() ? Cost::kLow : cost_of_scan(reader);
      },
      [](const Reader& reader, const payload::Filter& filter) -> Text {
        VZ_TRY_ASSIGN(const std::uint64_t count, reader.count(filter));
        return "{\"count\":" + std::to_string(count) + "}";
      });
}

void search_points(std::shared_ptr<Call> call) {
  answer_read(std::move(call), decode_search, cost_of_search, search_json);
}

void search_points_batch(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), decode_search_batch, [](const Reader&, const auto&) { return Cost::kHigh; },
      [](const Reader& reader, const std::vector<collection::SearchRequest>& requests) {
        return each_json(reader, requests, search_json);
      });
}

void query_points(std::shared_ptr<Call> call) {
  answer_read(std::move(call), decode_query, cost_of_query, query_json);
}

void query_points_batch(std::shared_ptr<Call> call) {
  answer_read(
      std::move(call), decode_query_batch, [](const Reader&, const auto&) { return Cost::kHigh; },
      [](const Reader& reader, const std::vector<QueryPoints>& requests) {
        return each_json(reader, requests, query_json);
      });
}

}  // namespace vz::api
