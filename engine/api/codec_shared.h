// Parts that several bodies have. Internal to codec_*.cpp: brings simdjson in.
#pragma once

#include <string>

#include "engine/api/simd_body.h"
#include "engine/collection/requests.h"

namespace vz::api::body {

inline tl::unexpected<Error> failed(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

/// Canonical text of a payload object.
Result<std::string> payload_text(od::value field);
Result<payload::Filter> filter(od::value field);
/// Fields of a write that would change what it means and are not built yet; ignores the others.
Status other_write_field(std::string_view key, od::value field);
/// The same for a read.
Status other_read_field(std::string_view key, od::value field);
/// The error of a write of more than limits::kPointsPerWriteMax points.
Status too_many_points();

/// Reads with_payload or with_vector. false: it is another field, and untouched.
Result<bool> selection_field(std::string_view key, od::value field,
                             collection::PointSelection& selection);
payload::Selection whole_payload();

}  // namespace vz::api::body
