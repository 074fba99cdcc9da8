#include "engine/collection/memtable.h"

#include <algorithm>
#include <cstring>
#include <queue>

#include "engine/collection/top_candidates.h"
#include "storage/base/huge_pages.h"

namespace vz::collection {
namespace {

constexpr std::size_t kChunkBytesTarget = 4u << 20;
/// Above this share of squared length lost by coding, a chunk is compared in float32.
constexpr double kCodeErrorMax = 1e-3;
constexpr std::uint32_t kNone = ~std::uint32_t{0};

std::uint32_t chunk_shift_for(const CollectionDefinition& definition) {
  std::size_t row_bytes = 0;
  for (const VectorDefinition& vector : definition.vectors)
    row_bytes += std::size_t{vector.size} * sizeof(float);
  std::uint32_t shift = 10;
  while (shift > 4 && (row_bytes << shift) > kChunkBytesTarget) --shift;
  return shift;
}

std::uint64_t vector_bytes(const segment::VectorRef& vector) {
  return vector.values.size_bytes() + vector.indices.size_bytes();
}

/// Of a small block of the heap: malloc adds a header and rounds up to 16.
constexpr std::uint64_t heap_bytes(std::uint64_t size) {
  return size == 0 ? 0 : (size + 8 + 15) / 16 * 16;
}

std::uint64_t heap_bytes(const std::string& text) {
  static const std::size_t kInPlace = std::string().capacity();
  return text.capacity() <= kInPlace ? 0 : heap_bytes(text.capacity() + 1);
}

/// Of a boost::unordered_flat_map: slots in groups of 15, with 16 bytes about each group.
template <typename Map>
std::uint64_t table_bytes(const Map& map) {
  return map.bucket_count() * sizeof(typename Map::value_type) + map.bucket_count() / 15 * 16;
}

}  // namespace

/// One vector name of one chunk.
struct Memtable::Column {
  HugeArray<float> values;  ///< dense rows; pages are touched as rows come
  std::size_t written = 0;  ///< bytes of memory that `values` takes so far
  HugeArray<std::uint8_t> codes;
  std::vector<float> norms;
  float scale = 1.0f;
  std::atomic<bool> coded{false};  ///< set once, when the chunk is full
  struct Packed {
    std::vector<float> values;
    std::vector<std::uint32_t> indices;
  };
  std::vector<std::unique_ptr<Packed>> packed;  ///< sparse and multi-vectors by slot
};

struct Memtable::Row {
  PointId id;
  Lsn version = 0;
  std::uint64_t hash = 0;
  std::uint32_t previous = kNone;  ///< older row of the same id in this memtable
  std::uint64_t present = 0;       ///< bit per column
  std::string payload;
  std::string flat;
};

struct Memtable::Chunk {
  Chunk(std::size_t slots, std::size_t columns_count) : rows(slots), columns(columns_count) {}
  std::vector<Row> rows;
  std::vector<Column> columns;
};

Memtable::Memtable(std::shared_ptr<const CollectionDefinition> definition)
    : definition_(std::move(definition)),
      chunk_shift_(chunk_shift_for(*definition_)),
      row_capacity_(static_cast<std::uint32_t>(kChunksMax << chunk_shift_)),
      dead_(row_capacity_) {}

Memtable::~Memtable() {
  for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

const Memtable::Row& Memtable::row_at(std::uint32_t row) const {
  return chunk_of(row).rows[row & ((1u << chunk_shift_) - 1)];
}

Memtable::Chunk& Memtable::open_chunk(std::uint32_t row) {
  auto& slot = chunks_[row >> chunk_shift_];
  Chunk* chunk = slot.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk(std::size_t{1} << chunk_shift_, definition_->vectors.size());
    note_memory(sizeof(Chunk) + chunk->rows.size() * sizeof(Row) +
                chunk->columns.size() * sizeof(Column));
    slot.store(chunk, std::memory_order_release);
  }
  return *chunk;
}

void Memtable::note_delete(const PointId& id, Lsn lsn) {
  const std::size_t before = tombstones_.capacity();
  tombstones_.push_back({id, lsn});
  note_memory((tombstones_.capacity() - before) * sizeof(segment::Tombstone));
}

/// The values of the first `slots` rows are in memory now.
void Memtable::count_written(Column& column, std::size_t slots, std::uint32_t dimension) {
  const std::size_t row_bytes = std::size_t{dimension} * sizeof(float);
  const std::size_t written = written_bytes(slots * row_bytes, row_bytes << chunk_shift_);
  note_memory(written - column.written);
  column.written = written;
}

void Memtable::store_vector(Chunk& chunk, std::uint32_t slot, const ColumnVector& vector) {
  const VectorDefinition& definition = definition_->vectors[vector.column];
  Column& column = chunk.columns[vector.column];
  const std::size_t slots = std::size_t{1} << chunk_shift_;
  if (definition.kind == segment::VectorKind::kDense) {
    if (column.values.get() == nullptr)
      column.values = HugeArray<float>(slots * definition.size);  // Not zeroed: presence tells.
    std::memcpy(column.values.get() + std::size_t{slot} * definition.size,
                vector.value.values.data(), vector.value.values.size_bytes());
    count_written(column, slot + 1, definition.size);
    return;
  }
  if (column.packed.empty()) {
    column.packed.resize(slots);
    note_memory(slots * sizeof column.packed[0]);
  }
  note_memory(heap_bytes(sizeof(Column::Packed)) + heap_bytes(vector.value.values.size_bytes()) +
              heap_bytes(vector.value.indices.size_bytes()));
  column.packed[slot] = std::make_unique<Column::Packed>(
      Column::Packed{{vector.value.values.begin(), vector.value.values.end()},
                     {vector.value.indices.begin(), vector.value.indices.end()}});
}

void Memtable::append(const PointId& id, Lsn lsn, std::uint64_t hash,
                      std::span<const ColumnVector> vectors, std::string_view payload) {
  const std::uint32_t row = rows_.load(std::memory_order_relaxed);
  VZ_ASSERT(row < row_capacity_);
  const std::uint32_t slot = row & ((1u << chunk_shift_) - 1);
  Chunk& chunk = open_chunk(row);
  Row& target = chunk.rows[slot];
  target.id = id;
  target.version = lsn;
  target.hash = hash;
  target.payload = payload;
  payload::flatten(payload, target.flat);
  note_memory(heap_bytes(target.payload) + heap_bytes(target.flat));
  std::uint64_t bytes = sizeof(Row) + target.payload.size() + target.flat.size();
  for (const ColumnVector& vector : vectors) {
    store_vector(chunk, slot, vector);
    target.present |= std::uint64_t{1} << vector.column;
    bytes += vector_bytes(vector.value);
  }
  {
    MutexLock lock(ids_mutex_);
    const std::uint64_t before = table_bytes(ids_);
    const auto [at, inserted] = ids_.try_emplace(id, row);
    note_memory(table_bytes(ids_) - before);
    if (!inserted) {
      target.previous = at->second;
      at->second = row;
    }
  }
  rows_.store(row + 1, std::memory_order_release);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (slot + 1 == 1u << chunk_shift_) encode_chunk(chunk);
}

void Memtable::encode_chunk(Chunk& chunk) {
  const std::size_t slots = chunk.rows.size();
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    Column& column = chunk.columns[c];
    const std::uint32_t dimension = definition_->vectors[c].size;
    if (column.values.get() == nullptr) continue;
    for (std::size_t slot = 0; slot < slots; ++slot) {  // Absent rows: zeros, never compared.
      if ((chunk.rows[slot].present >> c & 1) == 0)
        std::fill_n(column.values.get() + slot * dimension, dimension, 0.0f);
    }
    count_written(column, slots, dimension);
    column.scale = vector::train_scale({column.values.get(), slots * dimension});
    const std::size_t stride = vector::code_stride(dimension);
    column.codes = HugeArray<std::uint8_t>(slots * stride);
    column.norms.resize(slots);
    note_memory(written_bytes(slots * stride, slots * stride) + slots * sizeof(float));
    double error = 0;
    double length = 0;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const float* values = column.values.get() + slot * dimension;
      std::uint8_t* codes = column.codes.get() + slot * stride;
      column.norms[slot] = vector::encode_row({values, dimension}, column.scale, codes);
      length += column.norms[slot];
      for (std::uint32_t i = 0; i < dimension; ++i) {
        const double lost = values[i] - vector::value_of(codes[i], column.scale);
        error += lost * lost;
      }
    }
    if (error <= length * kCodeErrorMax) column.coded.store(true, std::memory_order_release);
  }
}

std::uint32_t Memtable::rows_at(Lsn lsn) const {
  std::uint32_t rows = rows_.load(std::memory_order_acquire);
  // Rows come in lsn order, and only those of groups under way are above lsn: a few at the end.
  while (rows > 0 && row_at(rows - 1).version > lsn) --rows;
  return rows;
}

PointId Memtable::id(std::uint32_t row) const {
  return row_at(row).id;
}
Lsn Memtable::version(std::uint32_t row) const {
  return row_at(row).version;
}
std::uint64_t Memtable::row_hash(std::uint32_t row) const {
  return row_at(row).hash;
}
std::string_view Memtable::payload_text(std::uint32_t row) const {
  return row_at(row).payload;
}
Result<std::string> Memtable::payload(std::uint32_t row) const {
  return row_at(row).payload;
}

std::optional<std::uint32_t> Memtable::find(PointId id, Lsn lsn) const {
  std::uint32_t row = kNone;
  {
    MutexLock lock(ids_mutex_);
    const auto found = ids_.find(id);
    if (found == ids_.end()) return std::nullopt;
    row = found->second;
  }
  while (row != kNone && row_at(row).version > lsn) row = row_at(row).previous;
  // Within one lsn an id may have several rows; the newest of them is the one that lives.
  if (row == kNone || dead_.dead_at(row, lsn)) return std::nullopt;
  return row;
}

Result<std::optional<segment::VectorRef>> Memtable::vector(std::size_t column,
                                                           std::uint32_t row) const {
  const Chunk& chunk = chunk_of(row);
  const std::size_t slot = row & ((1u << chunk_shift_) - 1);
  if ((chunk.rows[slot].present >> column & 1) == 0) return std::optional<segment::VectorRef>();
  const VectorDefinition& definition = definition_->vectors[column];
  if (definition.kind == segment::VectorKind::kDense) {
    const float* values = chunk.columns[column].values.get() + slot * definition.size;
    return std::optional(segment::VectorRef{{values, definition.size}, {}});
  }
  const auto& packed = *chunk.columns[column].packed[slot];
  return std::optional(segment::VectorRef{packed.values, packed.indices});
}

const float* Memtable::dense(std::size_t column, std::uint32_t row) const {
  const Chunk& chunk = chunk_of(row);
  const std::size_t slot = row & ((1u << chunk_shift_) - 1);
  if ((chunk.rows[slot].present >> column & 1) == 0) return nullptr;
  return chunk.columns[column].values.get() + slot * definition_->vectors[column].size;
}

Result<index::RowSet> Memtable::evaluate(const payload::Filter& filter, Lsn lsn,
                                         payload::EvaluateStats& /*stats*/) const {
  const std::uint32_t rows = rows_at(lsn);
  std::vector<std::string> all_names;
  for (const VectorDefinition& vector : definition_->vectors) all_names.push_back(vector.name);
  const std::uint64_t all_present =
      all_names.size() >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << all_names.size()) - 1;

  index::RowSet out(rows);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const Row& at = row_at(row);
    std::vector<std::string> some_names;
    if (at.present != all_present) {
      for (std::size_t c = 0; c < all_names.size(); ++c)
        if ((at.present >> c & 1) != 0) some_names.push_back(all_names[c]);
    }
    const payload::RowUnderTest under_test{
        .id = at.id,
        .flat = at.flat,
        .vectors = at.present == all_present ? &all_names : &some_names};
    if (payload::matches(filter, under_test)) out.insert(row);
  }
  return out;
}

Status Memtable::candidates(std::size_t column, vector::Distance distance,
                            const index::CandidateRequest& request,
                            std::vector<index::Candidate>& out,
                            index::CandidateStats& stats) const {
  const std::uint32_t rows = request.filter.allowed != nullptr ? request.filter.allowed->rows()
                                                               : rows_at(request.filter.lsn);
  const std::uint32_t dimension = definition_->vectors[column].size;
  TopCandidates top(request.wanted);
  std::vector<float> similarities;
  for (std::uint32_t first = 0; first < rows; first += 1u << chunk_shift_) {
    const Chunk& chunk = chunk_of(first);
    const Column& data = chunk.columns[column];
    const std::uint32_t slots = std::min(rows - first, 1u << chunk_shift_);
    const bool coded = data.coded.load(std::memory_order_acquire);
    if (coded) {
      const vector::CodeBlock block{.codes = data.codes.get(),
                                    .norms = data.norms.data(),
                                    .stride = vector::code_stride(dimension),
                                    .rows = static_cast<std::uint32_t>(chunk.rows.size()),
                                    .dimension = dimension,
                                    .scale = data.scale};
      similarities.resize(slots);
      vector::CodedQuery(distance, request.query, data.scale).similarities(block, 0, similarities);
    }
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      if ((chunk.rows[slot].present >> column & 1) == 0) continue;
      if (!request.filter.passes(first + slot)) continue;
      ++stats.evaluations;
      top.offer(
          {coded ? similarities[slot]
                 : vector::similarity(distance, request.query.data(),
                                      data.values.get() + std::size_t{slot} * dimension, dimension),
           first + slot});
    }
  }
  if (rows > 0) ++stats.scans;
  top.append_to(out);
  return {};
}

void Memtable::rows_from(const std::optional<PointId>& from, Lsn lsn, const index::RowSet* allowed,
                         std::size_t limit, std::vector<std::uint32_t>& out) const {
  if (limit == 0) return;
  const std::uint32_t rows = allowed != nullptr ? allowed->rows() : rows_at(lsn);
  const auto by_id = [this](std::uint32_t a, std::uint32_t b) {
    return row_at(a).id < row_at(b).id;
  };
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, decltype(by_id)> lowest(by_id);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (allowed != nullptr && !allowed->contains(row)) continue;
    if (!alive(row, lsn)) continue;
    const PointId& id = row_at(row).id;
    if (from && id < *from) continue;
    if (lowest.size() == limit) {
      if (!(id < row_at(lowest.top()).id)) continue;
      lowest.pop();
    }
    lowest.push(row);
  }
  const std::size_t begin = out.size();
  out.resize(begin + lowest.size());
  for (std::size_t at = out.size(); at > begin; lowest.pop()) out[--at] = lowest.top();
}

}  // namespace vz::collection
