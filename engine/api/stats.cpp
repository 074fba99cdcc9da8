// Numbers: GET /stats and the native list of collections.
#include "engine/api/call.h"
#include "engine/api/collection_json.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/restore_json.h"
#include "storage/base/utc.h"

namespace vz::api {
namespace {

using collection::CollectionStats;
using collection::Reader;

/// Writes one key a line, so that `diff` of two answers shows what changed.
class Lines {
 public:
  explicit Lines(std::string& out) : out_(out) {}

  void open(char bracket) {
    out_ += bracket;
    out_ += '\n';
    ++depth_;
    first_ = true;
  }
  void close(char bracket) {
    --depth_;
    out_ += '\n';
    indent();
    out_ += bracket;
    first_ = false;
  }
  void element() {
    if (!first_) out_ += ",\n";
    first_ = false;
    indent();
  }
  void key(std::string_view name) {
    element();
    append_string(out_, name);
    out_ += ": ";
  }
  template <typename T>
  void number(std::string_view name, T value) {
    key(name);
    append_number(out_, value);
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_string(out_, value);
  }

 private:
  void indent() { out_.append(depth_ * 2, ' '); }

  std::string& out_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

void write_collection(Lines& lines, const Reader& reader, const CollectionStats& stats) {
  lines.element();
  lines.open('{');
  lines.text("name", reader.name());
  lines.number("vectors", stats.points);
  lines.number("deleted_vectors", stats.deleted_points);
  lines.number("indexed_vectors", stats.indexed_points);
  lines.number("segments", stats.segments);
  lines.number("size_bytes", stats.size_bytes);
  lines.number("memory_usage_bytes", stats.memory_bytes);
  lines.number("searches", stats.searches);
  lines.number("avg_search_ms", stats.avg_search_ms);
  lines.number("p50_search_ms", stats.p50_search_ms);
  lines.number("p99_search_ms", stats.p99_search_ms);
  lines.text("created_at", rfc3339(stats.created_at_us));
  lines.text("status", stats.status);
  lines.number("distance_evaluations", stats.evaluations);
  lines.close('}');
}

}  // namespace

void get_stats(std::shared_ptr<Call> call) {
  const node::Node& node = call->node();
  const auto collections = node.collections();
  std::vector<CollectionStats> stats;
  stats.reserve(collections.size());
  std::uint64_t total_vectors = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t memory_bytes = 0;
  for (const auto& reader : collections) {
    stats.push_back(reader->stats());
    total_vectors += stats.back().points;
    size_bytes += stats.back().size_bytes;
    memory_bytes += stats.back().memory_bytes;
  }
  std::string out;
  Lines lines(out);
  lines.open('{');
  lines.text("version", call->service().version);
  lines.text("role", "master");
  lines.number("epoch", node.epoch());
  lines.number("lsn", node.visible_lsn());
  lines.number("total_vectors", total_vectors);
  lines.number("total_collections", collections.size());
  lines.number("size_bytes", size_bytes);
  lines.number("memory_usage_bytes", memory_bytes);
  if (const auto restore = call->service().nodes->restore_status(); restore.pending) {
    lines.key("restore_pending");
    append_restore_status(out, restore);
  }
  lines.key("collections");
  lines.open('[');
  for (std::size_t i = 0; i < collections.size(); ++i)
    write_collection(lines, *collections[i], stats[i]);
  lines.close(']');
  lines.close('}');
  out += '\n';
  call->answer(std::move(out));
}

void list_collections(std::shared_ptr<Call> call) {
  const auto include = call->head().parameter("include_metadata");
  const bool metadata = include && *include != "false" && *include != "0";
  auto collections = call->node().collections();
  std::erase_if(collections, [&](const auto& reader) { return !call->may_see(reader->name()); });
  std::string out = metadata ? "[" : "{\"collections\":[";
  for (std::size_t i = 0; i < collections.size(); ++i) {
    if (i > 0) out += ',';
    append_collection_entry(out, *collections[i],
                            metadata ? EntryDetail::kFull : EntryDetail::kShort);
  }
  out += ']';
  if (!metadata) {
    out += ",\"total_collections\":";
    append_number(out, collections.size());
    out += '}';
  }
  out += '\n';
  call->answer(std::move(out));
}

}  // namespace vz::api
