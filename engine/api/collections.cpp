// Routes of collections, aliases, declared fields and native settings.
#include "engine/api/answer_json.h"
#include "engine/api/call.h"
#include "engine/api/codec_collections.h"
#include "engine/api/collection_json.h"
#include "engine/api/handlers.h"
#include "engine/api/json_text.h"
#include "engine/api/write_parameters.h"

namespace vz::api {
namespace {

/// Submits a change of the catalog; `result(outcome)` makes the JSON text of the answer. It runs on
/// the writer thread, so it must be cheap.
template <typename MakeResult>
void submit(std::shared_ptr<Call> call, log::WriteRequest request, MakeResult make_result) {
  const auto node = call->shared_node();
  node->submit(std::move(request),
               [call = std::move(call), make_result](Result<log::WriteOutcome> outcome) {
                 if (!outcome) return call->answer_error(outcome.error());
                 call->answer_write(make_result(*outcome),
                                    outcome->lsn != 0 ? outcome->lsn : call->node().visible_lsn());
               });
}

std::string plain_true(const log::WriteOutcome&) {
  return "true";
}

void append_aliases(std::string& out, const Call& call, const std::string* collection) {
  out += "{\"aliases\":[";
  bool first = true;
  for (const node::AliasInfo& alias : call.node().aliases()) {
    if (collection != nullptr && alias.collection != *collection) continue;
    if (!call.may_see(alias.alias) || !call.may_see(alias.collection)) continue;
    if (!first) out += ',';
    first = false;
    out += "{\"alias_name\":";
    append_string(out, alias.alias);
    out += ",\"collection_name\":";
    append_string(out, alias.collection);
    out += '}';
  }
  out += "]}";
}

}  // namespace

void list_collection_names(std::shared_ptr<Call> call) {
  std::string out = "{\"collections\":[";
  bool first = true;
  for (const auto& reader : call->node().collections()) {
    if (!call->may_see(reader->name())) continue;
    if (!first) out += ',';
    first = false;
    out += "{\"name\":";
    append_string(out, reader->name());
    out += '}';
  }
  out += "]}";
  call->answer(std::move(out));
}

void get_collection(std::shared_ptr<Call> call) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  call->answer(collection_info_json(**reader));
}

void collection_exists(std::shared_ptr<Call> call) {
  const bool exists = call->node().find(call->argument(0)) != nullptr;
  call->answer(exists ? R"({"exists":true})" : R"({"exists":false})");
}

void create_collection(std::shared_ptr<Call> call) {
  if (Status valid = collection::check_collection_name(call->argument(0)); !valid)
    return call->answer_error(valid.error());
  auto definition = decode_create(call->body());
  if (!definition) return call->answer_error(definition.error());
  std::string name = call->argument(0);
  submit(std::move(call),
         log::CreateCollection{.name = std::move(name), .definition = *std::move(definition)},
         plain_true);
}

void update_collection(std::shared_ptr<Call> call) {
  auto patch = decode_update(call->body());
  if (!patch) return call->answer_error(patch.error());
  std::string name = call->argument(0);
  submit(std::move(call), log::PatchCollection{.name = std::move(name), .patch = *std::move(patch)},
         plain_true);
}

void delete_collection(std::shared_ptr<Call> call) {
  std::string name = call->argument(0);
  submit(std::move(call), log::DropCollection{.name = std::move(name)},
         [](const log::WriteOutcome& outcome) -> std::string {
           return outcome.changed ? "true" : "false";
         });
}

void change_aliases(std::shared_ptr<Call> call) {
  auto actions = decode_alias_actions(call->body());
  if (!actions) return call->answer_error(actions.error());
  submit(std::move(call), *std::move(actions), plain_true);
}

void list_aliases(std::shared_ptr<Call> call) {
  std::string out;
  append_aliases(out, *call, nullptr);
  call->answer(std::move(out));
}

void list_collection_aliases(std::shared_ptr<Call> call) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  std::string out;
  append_aliases(out, *call, &(*reader)->name());
  call->answer(std::move(out));
}

void declare_field(std::shared_ptr<Call> call) {
  const auto wait = read_write_parameters(call->head());
  if (!wait) return call->answer_error(wait.error());
  auto field = decode_field(call->body());
  if (!field) return call->answer_error(field.error());
  std::string name = call->argument(0);
  submit(std::move(call),
         log::DeclareField{.collection = std::move(name), .field = *std::move(field)},
         [wait = *wait](const log::WriteOutcome& outcome) {
           std::string out;
           append_update_result(out, outcome.lsn, update_status(wait));
           return out;
         });
}

void drop_field(std::shared_ptr<Call> call) {
  const auto wait = read_write_parameters(call->head());
  if (!wait) return call->answer_error(wait.error());
  std::string name = call->argument(0);
  std::string path = call->argument(1);
  submit(std::move(call), log::DropField{.collection = std::move(name), .path = std::move(path)},
         [wait = *wait](const log::WriteOutcome& outcome) {
           std::string out;
           append_update_result(out, outcome.lsn, update_status(wait));
           return out;
         });
}

void get_config(std::shared_ptr<Call> call) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  call->answer(config_json(*(*reader)->definition()));
}

void patch_config(std::shared_ptr<Call> call) {
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  auto patch = decode_config(call->body());
  if (!patch) return call->answer_error(patch.error());
  std::string name = call->argument(0);
  node::Node& node = call->node();
  submit(std::move(call), log::PatchCollection{.name = name, .patch = *std::move(patch)},
         [&node, name](const log::WriteOutcome&) -> std::string {
           const auto after = node.find(name);
           return after == nullptr ? "{}\n" : config_json(*after->definition());
         });
}

}  // namespace vz::api
