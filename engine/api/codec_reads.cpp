#include "engine/api/codec_reads.h"

#include <array>
#include <charconv>

#include "engine/api/codec_shared.h"

namespace vz::api {
namespace {

using body::each_element;
using body::each_field;
using body::expected;
using body::failed;
using body::od::json_type;
using body::od::value;
using collection::SearchRequest;

/// quantization and acorn are hints about speed and never make our answer worse: codes are always
/// rescored here.
Status read_params(value field, SearchRequest& request) {
  return each_field(field, [&](std::string_view key, value inner) -> Status {
    if (key == "hnsw_ef") {
      VZ_TRY_ASSIGN(const std::size_t ef, body::bounded(inner, 1, limits::kEfSearchMax));
      request.ef = static_cast<std::uint32_t>(ef);
      return {};
    }
    if (key == "exact") {
      VZ_TRY_ASSIGN(request.exact, body::boolean(inner));
      return {};
    }
    if (key == "indexed_only") {
      VZ_TRY_ASSIGN(const bool only, body::boolean(inner));
      return only ? failed(unsupported("`params.indexed_only`")) : Status{};
    }
    return body::skip(inner);
  });
}

Result<float> read_threshold(value field) {
  VZ_TRY_ASSIGN(const double read, body::number(field));
  const auto threshold = static_cast<float>(read);
  if (!std::isfinite(threshold)) return expected("a finite 32-bit number");
  return threshold;
}

/// What search and query have in common. false: it is another field.
Result<bool> read_common(std::string_view key, value field, SearchRequest& request) {
  if (key == "limit" || key == "top") {
    VZ_TRY_ASSIGN(request.limit, body::bounded(field, 1, limits::kLimitMax));
  } else if (key == "offset") {
    VZ_TRY_ASSIGN(request.offset, body::bounded(field, 0, limits::kOffsetMax));
  } else if (key == "filter") {
    VZ_TRY_ASSIGN(request.filter, body::filter(field));
  } else if (key == "params") {
    VZ_TRY(read_params(field, request));
  } else if (key == "score_threshold") {
    VZ_TRY_ASSIGN(request.score_threshold, read_threshold(field));
  } else {
    return body::selection_field(key, field, request.selection);
  }
  return true;
}

// ---- search: the older form ------------------------------------------------------------------

/// A dense query vector. Errors: kUnsupported for sparse vectors and multi-vectors.
Result<std::vector<float>> read_dense(value field) {
  VZ_TRY_ASSIGN(const json_type type, body::type_of(field));
  if (type == json_type::object) return failed(unsupported("searching a sparse vector"));
  if (type != json_type::array) return expected("an array of numbers");
  std::vector<float> vector;
  VZ_TRY(each_element(field, [&](value element, std::size_t) -> Status {
    VZ_TRY_ASSIGN(const json_type inner, body::type_of(element));
    if (inner == json_type::array) return failed(unsupported("searching a multi-vector"));
    VZ_TRY_ASSIGN(const double read, body::number(element));
    const auto narrow = static_cast<float>(read);
    if (!std::isfinite(narrow)) return expected("a finite 32-bit number");
    if (vector.size() == limits::kDimensionMax)
      return failed(range_error(
          "longer", "must have at most " + std::to_string(limits::kDimensionMax) + " values"));
    vector.push_back(narrow);
    return {};
  }));
  return vector;
}

Status read_search_vector(value field, SearchRequest& request) {
  VZ_TRY_ASSIGN(const json_type type, body::type_of(field));
  if (type != json_type::object) {
    VZ_TRY_ASSIGN(request.query, read_dense(field));
    return {};
  }
  bool given = false;
  VZ_TRY(each_field(field, [&](std::string_view key, value inner) -> Status {
    if (key == "name") {
      VZ_TRY_ASSIGN(const std::string_view name, body::text(inner));
      request.using_vector = std::string(name);
      return {};
    }
    if (key == "vector") {
      given = true;
      VZ_TRY_ASSIGN(request.query, read_dense(inner));
      return {};
    }
    return expected("`name` and `vector`");
  }));
  if (!given) return failed(missing_field("vector"));
  return {};
}

Result<SearchRequest> read_search(value from) {
  SearchRequest request;
  bool has_vector = false;
  bool has_limit = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "vector") {
      has_vector = true;
      return read_search_vector(field, request);
    }
    has_limit = has_limit || key == "limit" || key == "top";
    VZ_TRY_ASSIGN(const bool known, read_common(key, field, request));
    return known ? Status{} : body::other_read_field(key, field);
  }));
  if (!has_vector) return failed(missing_field("vector"));
  if (!has_limit) return failed(missing_field("limit"));
  return request;
}

// ---- query: the newer form -------------------------------------------------------------------

/// `nearest`, or the bare form: a vector or the id of a point.
Status read_nearest(value field, SearchRequest& request) {
  VZ_TRY_ASSIGN(const json_type type, body::type_of(field));
  if (type == json_type::number || type == json_type::string) {
    VZ_TRY_ASSIGN(request.query, body::point_id(field));
    return {};
  }
  VZ_TRY_ASSIGN(request.query, read_dense(field));
  return {};
}

Status read_query_field(value field, SearchRequest& request) {
  VZ_TRY_ASSIGN(const json_type type, body::type_of(field));
  if (type != json_type::object) return read_nearest(field, request);
  bool nearest = false;
  VZ_TRY(each_field(field, [&](std::string_view key, value inner) -> Status {
    if (key == "nearest") {
      nearest = true;
      return read_nearest(inner, request);
    }
    constexpr std::array kDocumented{std::string_view("mmr"),
                                     std::string_view("recommend"),
                                     std::string_view("discover"),
                                     std::string_view("context"),
                                     std::string_view("order_by"),
                                     std::string_view("fusion"),
                                     std::string_view("rrf"),
                                     std::string_view("formula"),
                                     std::string_view("sample"),
                                     std::string_view("indices"),
                                     std::string_view("values"),
                                     std::string_view("defaults"),
                                     std::string_view("relevance_feedback")};
    for (const std::string_view name : kDocumented)
      if (key == name) return failed(unsupported("`query." + std::string(key) + "`"));
    return expected("a known form of query, such as `nearest`");
  }));
  if (!nearest) return expected("a known form of query, such as `nearest`");
  return {};
}

Status read_prefetch(value field) {
  VZ_TRY_ASSIGN(const json_type type, body::type_of(field));
  bool empty = type == json_type::array;
  if (empty) {
    VZ_TRY(each_element(field, [&](value element, std::size_t) -> Status {
      empty = false;
      return body::skip(element);
    }));
  }
  return empty ? Status{} : failed(unsupported("`prefetch`"));
}

Result<QueryPoints> read_query(value from) {
  SearchRequest request;
  bool has_query = false;
  VZ_TRY(each_field(from, [&](std::string_view key, value field) -> Status {
    if (key == "query") {
      has_query = true;
      return read_query_field(field, request);
    }
    if (key == "prefetch") return read_prefetch(field);
    if (key == "using") {
      VZ_TRY_ASSIGN(const std::string_view name, body::text(field));
      request.using_vector = std::string(name);
      return {};
    }
    VZ_TRY_ASSIGN(const bool known, read_common(key, field, request));
    return known ? Status{} : body::other_read_field(key, field);
  }));
  if (has_query) return request;
  return ListPoints{.offset = request.offset,
                    .limit = request.limit,
                    .filter = std::move(request.filter),
                    .selection = std::move(request.selection)};
}

/// Reads {searches:[..]}, each element with `read_one`.
template <typename Request, typename ReadOne>
Result<std::vector<Request>> read_batch(std::string& body_text, const ReadOne& read_one) {
  std::vector<Request> requests;
  bool given = false;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    return each_field(root, [&](std::string_view key, value field) -> Status {
      if (key != "searches") return body::other_read_field(key, field);
      given = true;
      requests.clear();
      return each_element(field, [&](value element, std::size_t index) -> Status {
        if (index == limits::kBatchSearchesMax)
          return failed(range_error(
              "more",
              "must be at most " + std::to_string(limits::kBatchSearchesMax) + " searches"));
        VZ_TRY_ASSIGN(Request request, read_one(element));
        requests.push_back(std::move(request));
        return {};
      });
    });
  }));
  if (!given) return failed(finished(missing_field("searches")));
  return requests;
}

}  // namespace

Result<GetPoints> decode_get(std::string& body_text) {
  GetPoints request;
  request.selection.payload = body::whole_payload();
  bool given = false;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    return each_field(root, [&](std::string_view key, value field) -> Status {
      if (key == "ids") {
        given = true;
        VZ_TRY_ASSIGN(request.ids, body::point_ids(field, limits::kIdsPerReadMax));
        return {};
      }
      VZ_TRY_ASSIGN(const bool known, body::selection_field(key, field, request.selection));
      return known ? Status{} : body::other_read_field(key, field);
    });
  }));
  if (!given) return failed(finished(missing_field("ids")));
  return request;
}

Result<collection::ScrollRequest> decode_scroll(std::string& body_text) {
  collection::ScrollRequest request;
  request.selection.payload = body::whole_payload();
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    return each_field(root, [&](std::string_view key, value field) -> Status {
      if (key == "offset") {
        VZ_TRY_ASSIGN(request.offset, body::point_id(field));
        return {};
      }
      if (key == "limit") {
        VZ_TRY_ASSIGN(request.limit, body::bounded(field, 1, limits::kLimitMax));
        return {};
      }
      if (key == "filter") {
        VZ_TRY_ASSIGN(request.filter, body::filter(field));
        return {};
      }
      VZ_TRY_ASSIGN(const bool known, body::selection_field(key, field, request.selection));
      return known ? Status{} : body::other_read_field(key, field);
    });
  }));
  return request;
}

Result<payload::Filter> decode_count(std::string& body_text) {
  payload::Filter filter;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    return each_field(root, [&](std::string_view key, value field) -> Status {
      if (key == "filter") {
        VZ_TRY_ASSIGN(filter, body::filter(field));
        return {};
      }
      if (key == "exact") return body::boolean(field).map([](bool) {});  // always exact here
      return body::other_read_field(key, field);
    });
  }));
  return filter;
}

Result<SearchRequest> decode_search(std::string& body_text) {
  SearchRequest request;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    VZ_TRY_ASSIGN(request, read_search(root));
    return {};
  }));
  return request;
}

Result<std::vector<SearchRequest>> decode_search_batch(std::string& body_text) {
  return read_batch<SearchRequest>(body_text, read_search);
}

Result<QueryPoints> decode_query(std::string& body_text) {
  QueryPoints request;
  VZ_TRY(body::decode(body_text, [&](value root) -> Status {
    VZ_TRY_ASSIGN(request, read_query(root));
    return {};
  }));
  return request;
}

Result<std::vector<QueryPoints>> decode_query_batch(std::string& body_text) {
  return read_batch<QueryPoints>(body_text, read_query);
}

Result<PointId> parse_path_id(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && !text.empty() &&
      text.front() != '+' && text.front() != '-')
    return PointId::number(number);
  auto id = PointId::parse_uuid(text);
  if (id) return *id;
  return fail(ErrorCode::kInvalidArgument,
              "value " + std::string(text.substr(0, 64)) +
                  " is not a valid point ID, valid values are either an unsigned integer or a "
                  "UUID");
}

}  // namespace vz::api
