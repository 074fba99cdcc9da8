// Routes of operations: jobs on collections and on the whole node, and run-time settings.
#include <utility>

#include "engine/api/call.h"
#include "engine/api/codec_collections.h"
#include "engine/api/handlers.h"
#include "engine/api/job_answers.h"
#include "engine/api/json_text.h"
#include "engine/node/maintenance.h"

namespace vz::api {
namespace {

using node::CollectionChange;
using node::CollectionSizes;
using node::Maintenance;
using node::Watch;

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  if (out.back() != '{') out += ',';
  append_string(out, name);
  out += ':';
  append_number(out, value);
}

void append_sizes(std::string& out, const CollectionSizes& sizes) {
  out += '{';
  append_member(out, "vectors", sizes.points);
  append_member(out, "deleted_vectors", sizes.deleted_points);
  append_member(out, "indexed_vectors", sizes.indexed_points);
  append_member(out, "segments", sizes.segments);
  append_member(out, "size_bytes", sizes.size_bytes);
  out += '}';
}

void append_change(std::string& out, const CollectionChange& change) {
  out += "{\"collection\":";
  append_string(out, change.name);
  out += ",\"before\":";
  append_sizes(out, change.before);
  out += ",\"after\":";
  append_sizes(out, change.after);
  out += '}';
}

std::string change_json(const CollectionChange& change) {
  std::string out;
  append_change(out, change);
  return out;
}

void append_garbage(std::string& out, const node::Garbage& garbage) {
  append_member(out, "files_removed", garbage.files_removed);
  append_member(out, "freed_bytes", garbage.freed_bytes);
  append_member(out, "size_bytes_before", garbage.bytes_before);
  append_member(out, "size_bytes_after", garbage.bytes_after);
}

std::string garbage_json(const node::Garbage& garbage) {
  std::string out = "{";
  append_garbage(out, garbage);
  out += '}';
  return out;
}

std::string compaction_json(const node::Compaction& done) {
  std::string out = "{";
  append_garbage(out, done.garbage);
  out += ",\"collections\":[";
  for (std::size_t i = 0; i < done.collections.size(); ++i) {
    if (i > 0) out += ',';
    append_change(out, done.collections[i]);
  }
  out += "]}";
  return out;
}

/// The work of a job: `act(maintenance, watch)`, and its result as JSON text.
template <typename Act, typename ToJson>
node::JobWork maintenance_work(std::shared_ptr<node::Node> node, Act act, ToJson to_json) {
  return [node = std::move(node), act = std::move(act),
          to_json](const node::JobContext& context) -> Result<std::string> {
    const Watch watch{.stop = context.stop, .on_progress = context.on_progress};
    VZ_TRY_ASSIGN(const auto done, act(node->maintenance(), watch));
    return to_json(done);
  };
}

using OnCollection = Result<CollectionChange> (Maintenance::*)(const std::string&, const Watch&);

void run_on_collection(std::shared_ptr<Call> call, const char* kind, OnCollection act) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  if (const Status none = decode_nothing(call->body()); !none)
    return call->answer_error(none.error());
  // Its name, not an alias: so that there is one job of a collection.
  const std::string name = (*reader)->name();
  auto work = maintenance_work(
      call->shared_node(),
      [name, act](Maintenance& maintenance, const Watch& watch) {
        return (maintenance.*act)(name, watch);
      },
      change_json);
  run_job(std::move(call), kind, name, std::move(work));
}

void answer_settings(Call& call) {
  call.answer(call.service().nodes->settings().describe());
}

}  // namespace

void optimize_collection(std::shared_ptr<Call> call) {
  run_on_collection(std::move(call), "optimize", &Maintenance::optimize);
}

void rebuild_index(std::shared_ptr<Call> call) {
  run_on_collection(std::move(call), "index-rebuild", &Maintenance::rebuild_index);
}

void compact_node(std::shared_ptr<Call> call) {
  if (const Status none = decode_nothing(call->body()); !none)
    return call->answer_error(none.error());
  auto work = maintenance_work(
      call->shared_node(),
      [](Maintenance& maintenance, const Watch& watch) { return maintenance.compact(watch); },
      compaction_json);
  run_job(std::move(call), "compact", "", std::move(work));
}

void collect_garbage(std::shared_ptr<Call> call) {
  if (const Status none = decode_nothing(call->body()); !none)
    return call->answer_error(none.error());
  auto work = maintenance_work(
      call->shared_node(),
      [](Maintenance& maintenance, const Watch& watch) {
        return maintenance.collect_garbage(watch);
      },
      garbage_json);
  run_job(std::move(call), "gc", "", std::move(work));
}

void get_settings(std::shared_ptr<Call> call) {
  answer_settings(*call);
}

void change_settings(std::shared_ptr<Call> call) {
  auto patch = node::decode_settings(call->body());
  if (!patch) return call->answer_error(patch.error());
  call->tell_audit(call->body());  // No setting is a secret.
  // It writes a file: not on the io thread.
  Call::offload(call, [call, patch = *std::move(patch)] {
    if (const Status changed = call->service().nodes->settings().change(patch); !changed)
      return call->answer_error(changed.error());
    answer_settings(*call);
  });
}

}  // namespace vz::api
