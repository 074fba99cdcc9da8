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

/// Answers with read(reader, call), JSON text, of the collection that the path names.
template <typename Read>
void answer_read(const std::shared_ptr<Call>& call, const Read& read) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  call->answer_result(read(**reader, *call));
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

}  // namespace

void get_point(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const PointId id, parse_path_id(c.argument(1)));
    collection::PointSelection selection;
    selection.payload.mode = payload::Selection::Mode::kAll;
    selection.vectors.mode = collection::VectorSelection::Mode::kAll;
    VZ_TRY_ASSIGN(const auto records, reader.get({&id, 1}, selection));
    if (records.empty())
      return fail(ErrorCode::kNotFound, "No point with id " + id.to_string() + " found");
    std::string out;
    append_record(out, records.front(), selection);
    return out;
  });
}

void get_points(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const GetPoints request, decode_get(c.body()));
    VZ_TRY_ASSIGN(const auto records, reader.get(request.ids, request.selection));
    std::string out;
    append_records(out, records, request.selection);
    return out;
  });
}

void scroll_points(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const collection::ScrollRequest request, decode_scroll(c.body()));
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
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const payload::Filter filter, decode_count(c.body()));
    VZ_TRY_ASSIGN(const std::uint64_t count, reader.count(filter));
    return "{\"count\":" + std::to_string(count) + "}";
  });
}

void search_points(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const auto request, decode_search(c.body()));
    return search_json(reader, request);
  });
}

void search_points_batch(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const auto requests, decode_search_batch(c.body()));
    return each_json(reader, requests, search_json);
  });
}

void query_points(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const auto request, decode_query(c.body()));
    return query_json(reader, request);
  });
}

void query_points_batch(std::shared_ptr<Call> call) {
  answer_read(call, [](const Reader& reader, Call& c) -> Text {
    VZ_TRY_ASSIGN(const auto requests, decode_query_batch(c.body()));
    return each_json(reader, requests, query_json);
  });
}

}  // namespace vz::api
