// Answers of reads as JSON text, written straight into one string; payload text goes in verbatim.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/collection/requests.h"
#include "storage/base/ids.h"

namespace vz::api {

/// {"id","payload"?,"vector"?}. What was not selected is absent.
void append_record(std::string& out, const collection::Record& record,
                   const collection::PointSelection& selection);
/// {"id","version","score","payload"?,"vector"?}.
void append_scored(std::string& out, const collection::ScoredPoint& point,
                   const collection::PointSelection& selection);

/// Bare arrays of them.
void append_records(std::string& out, std::span<const collection::Record> records,
                    const collection::PointSelection& selection);
void append_scored_points(std::string& out, std::span<const collection::ScoredPoint> points,
                          const collection::PointSelection& selection);

/// {"operation_id","status"}. completed: the client asked to wait until the write is visible.
void append_update_result(std::string& out, Lsn lsn, std::string_view status);

}  // namespace vz::api
