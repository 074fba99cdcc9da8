// Routes that write points.
#include "engine/api/answer_json.h"
#include "engine/api/call.h"
#include "engine/api/codec_writes.h"
#include "engine/api/handlers.h"
#include "engine/api/write_parameters.h"

namespace vz::api {
namespace {

enum class Answer : std::uint8_t { kOne, kList };

void submit(std::shared_ptr<Call> call, log::PointsWrite write, Wait wait, Answer shape) {
  const std::size_t count = write.operations.size();
  const auto node = call->shared_node();
  call->body() = std::string();  // A large body need not wait for the disk with us.
  node->submit(std::move(write),
               [call = std::move(call), wait, shape, count](Result<log::WriteOutcome> outcome) {
                 if (!outcome) return call->answer_error(outcome.error());
                 const Lsn lsn = outcome->lsn != 0 ? outcome->lsn : call->node().visible_lsn();
                 std::string out;
                 if (shape == Answer::kOne) {
                   append_update_result(out, lsn, update_status(wait));
                 } else {
                   out += '[';
                   for (std::size_t i = 0; i < count; ++i) {
                     if (i > 0) out += ',';
                     append_update_result(out, lsn, update_status(wait));
                   }
                   out += ']';
                 }
                 call->answer_write(std::move(out), lsn);
               });
}

void write_points(std::shared_ptr<Call> call, PointWriteKind kind) {
  const auto wait = read_write_parameters(call->head());
  if (!wait) return call->answer_error(wait.error());
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  auto operation = decode_write(kind, call->body(), *(*reader)->definition());
  if (!operation) return call->answer_error(operation.error());
  log::PointsWrite write{.collection = (*reader)->id(), .operations = {}};
  write.operations.push_back(*std::move(operation));
  submit(std::move(call), std::move(write), *wait, Answer::kOne);
}

}  // namespace

void upsert_points(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kUpsert);
}
void delete_points(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kDelete);
}
void set_payload(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kSetPayload);
}
void overwrite_payload(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kOverwritePayload);
}
void delete_payload(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kDeletePayload);
}
void clear_payload(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kClearPayload);
}
void update_vectors(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kUpdateVectors);
}
void delete_vectors(std::shared_ptr<Call> call) {
  write_points(std::move(call), PointWriteKind::kDeleteVectors);
}

void batch_operations(std::shared_ptr<Call> call) {
  const auto wait = read_write_parameters(call->head());
  if (!wait) return call->answer_error(wait.error());
  const auto reader = call->collection();
  if (!reader) return call->answer_error(reader.error());
  auto operations = decode_operations(call->body(), *(*reader)->definition());
  if (!operations) return call->answer_error(operations.error());
  submit(std::move(call),
         log::PointsWrite{.collection = (*reader)->id(), .operations = *std::move(operations)},
         *wait, Answer::kList);
}

}  // namespace vz::api
