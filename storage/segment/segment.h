// A segment: the immutable rows of one collection, sorted by id. Written once, mapped, never
// changed. Byte format: storage/format/segment_format.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"
#include "storage/segment/checked_file.h"

namespace vz::segment {

enum class VectorKind : std::uint8_t {  // On disk: never renumber.
  kDense = 1,                           ///< `dimension` float32
  kSparse = 2,                          ///< u32 indices, ascending, with a float32 each
  kMulti = 3,                           ///< any number of rows of `dimension` float32
};

struct VectorColumn {
  std::string name;  ///< "" is the default vector
  VectorKind kind = VectorKind::kDense;
  std::uint32_t dimension = 0;  ///< 0 for sparse
  friend bool operator==(const VectorColumn&, const VectorColumn&) = default;
};

/// One vector of one row, borrowed. Dense: values.size() == dimension. Multi: a multiple of it.
/// Sparse: as many indices as values.
struct VectorRef {
  std::span<const float> values;
  std::span<const std::uint32_t> indices;
};

/// A delete since the last seal; the newest version or tombstone of an id wins.
struct Tombstone {
  PointId id;
  Lsn lsn = 0;
};

struct Footer {
  CollectionId collection = 0;
  std::string collection_name;
  std::string definition_json;  ///< the collection's definition when the segment was written
  Epoch epoch = 0;
  SegmentSeq seq = 0;
  Lsn min_lsn = 0;  ///< of the rows and tombstones; 0 if there are none
  Lsn max_lsn = 0;
  std::vector<SegmentSeq> replaces;   ///< segments whose rows this one took over
  std::vector<Tombstone> tombstones;  ///< sorted by id
  std::vector<VectorColumn> columns;  ///< in the order that `column` arguments count
};

/// The rows to be written, in ascending id order. write_segment reads it column by column, so each
/// method is called with rows ascending, once a pass.
class RowSource {
 public:
  virtual ~RowSource() = default;
  [[nodiscard]] virtual std::uint32_t row_count() const = 0;
  [[nodiscard]] virtual PointId id(std::uint32_t row) const = 0;
  [[nodiscard]] virtual Lsn version(std::uint32_t row) const = 0;
  [[nodiscard]] virtual std::uint64_t row_hash(std::uint32_t row) const = 0;
  /// nullopt if the row has no vector of that column.
  virtual Result<std::optional<VectorRef>> vector(std::size_t column, std::uint32_t row) const = 0;
  /// JSON text, borrowed until the next call; "" or "{}" if there is none.
  virtual Result<std::string_view> payload(std::uint32_t row) const = 0;
};

struct WriteOptions {
  int zstd_level = 1;  ///< of payload blocks; 0 stores them uncompressed
};

/// Writes and publishes the segment file (synced, renamed, directory synced).
/// min_lsn and max_lsn of `footer` are computed here.
/// Errors: those of `rows`, kIoError, kNoSpace; nothing is published.
Result<FileInfo> write_segment(Env& env, const std::string& path, Footer footer,
                               const RowSource& rows, const WriteOptions& options);

/// Reads a segment. Thread-safe. Cheap to open: footer, Bloom filter and sizes only.
class Segment {
 public:
  static Result<std::unique_ptr<Segment>> open(Env& env, const std::string& path);
  ~Segment();

  [[nodiscard]] const Footer& footer() const;
  [[nodiscard]] const CheckedFile& file() const;
  [[nodiscard]] std::uint32_t row_count() const;
  /// True after damage was met in any block: the caller takes the segment out of service.
  [[nodiscard]] bool failed() const;
  /// The first damage that an accessor met, for the log line of who takes the segment out of
  /// service.
  [[nodiscard]] std::optional<Error> damage() const;
  /// Makes it failed, for what none of its accessors can see. Any thread.
  void take_out_of_service(const Error& why) const;

  /// Precondition everywhere below (asserted): row < row_count(), column < footer().columns.size().
  ///
  /// id, version and row_hash verify their column whole at its first touch; on damage they give
  /// zero values and failed() turns true.
  [[nodiscard]] PointId id(std::uint32_t row) const;
  [[nodiscard]] Lsn version(std::uint32_t row) const;
  [[nodiscard]] std::uint64_t row_hash(std::uint32_t row) const;
  /// Row of `id`, whether dead or alive: Bloom filter, then interpolation search. nullopt: absent,
  /// or damaged (then failed() is true).
  [[nodiscard]] std::optional<std::uint32_t> find(PointId id) const;
  /// First row with an id not below `id`; row_count() if there is none or the column is damaged.
  [[nodiscard]] std::uint32_t lower_bound(PointId id) const;

  /// False also if the presence bitmap is damaged (then failed() is true).
  [[nodiscard]] bool has_vector(std::size_t column, std::uint32_t row) const;
  /// Errors: kCorruption. Borrowed from the mapping for the segment's lifetime.
  [[nodiscard]] Result<std::optional<VectorRef>> vector(std::size_t column,
                                                        std::uint32_t row) const;
  /// Fast path of rescoring: the dense vector of `row` (verified), or nullptr if absent or damaged
  /// (then failed() is true). `column` must be dense (asserted).
  [[nodiscard]] const float* dense(std::size_t column, std::uint32_t row) const;
  /// Hint that this dense row is about to be read.
  void prefetch_dense(std::size_t column, std::uint32_t row) const;
  /// JSON text, "{}" if the row has none. Decompresses the block that holds the row; a small
  /// per-thread cache keeps the last block.
  /// Errors: kCorruption.
  [[nodiscard]] Result<std::string> payload(std::uint32_t row) const;
  /// Index in footer().columns, or nullopt.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  /// Resident bytes (Bloom filter, tables); mapped bytes do not count.
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  struct State;
  explicit Segment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Rows of one segment that died, as of a lsn: a derived file, replaced whole.
struct DeadRows {
  Epoch epoch = 0;
  SegmentSeq seq = 0;               ///< the segment it belongs to
  Lsn as_of = 0;                    ///< holds exactly the rows that died at lsn <= as_of
  std::uint32_t row_count = 0;      ///< of the segment
  std::vector<std::uint32_t> rows;  ///< ascending
};
Result<FileInfo> write_dead_rows(Env& env, const std::string& path, const DeadRows& dead);
/// Errors: kNotFound, kIoError, kCorruption (also rows out of range or out of order).
Result<DeadRows> read_dead_rows(Env& env, const std::string& path);

}  // namespace vz::segment
