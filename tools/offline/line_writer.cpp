#include "tools/offline/line_writer.h"

#include <utility>

#include <zstd.h>

namespace vz::offline {
namespace {

constexpr std::size_t kBufferSize = 1u << 20;
constexpr int kZstdLevel = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

struct LineWriter::State {
  explicit State(Env& its_env) : env(its_env) {}

  Env& env;
  std::string path;
  std::unique_ptr<File> file;
  std::unique_ptr<ZSTD_CCtx, FreeContext> zstd;  ///< null: as it is
  std::string text;                              ///< not yet compressed
  Bytes packed;
  std::uint64_t offset = 0;

  Status write(ByteSpan bytes) {
    VZ_TRY(file->write_at(offset, bytes));
    offset += bytes.size();
    return {};
  }

  Status flush(ZSTD_EndDirective how) {
    if (zstd == nullptr) VZ_TRY(write(as_bytes(text)));
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (bool more = zstd != nullptr; more;) {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      const std::size_t left = ZSTD_compressStream2(zstd.get(), &out, &in, how);
      if (ZSTD_isError(left) != 0)
        return fail(ErrorCode::kInternal, path + ": zstd: " + ZSTD_getErrorName(left));
      VZ_TRY(write(ByteSpan(packed).first(out.pos)));
      more = how == ZSTD_e_end ? left != 0 : in.pos < in.size;
    }
    text.clear();
    return {};
  }
};

LineWriter::LineWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineWriter::~LineWriter() = default;

Result<std::unique_ptr<LineWriter>> LineWriter::create(Env& env, const std::string& path) {
  auto state = std::make_unique<State>(env);
  state->path = path;
  VZ_TRY_ASSIGN(state->file, env.open(path, OpenMode::kCreateNew));
  if (path.ends_with(".zst")) {
    state->zstd.reset(ZSTD_createCCtx());
    if (state->zstd == nullptr) return fail(ErrorCode::kInternal, "zstd: out of memory");
    ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_checksumFlag, 1);
    state->packed.resize(ZSTD_CStreamOutSize());
  }
  return std::unique_ptr<LineWriter>(new LineWriter(std::move(state)));
}

Status LineWriter::add(std::string_view line) {
  state_->text.append(line).push_back('\n');
  return state_->text.size() < kBufferSize ? Status() : state_->flush(ZSTD_e_continue);
}

Status LineWriter::finish() {
  VZ_TRY(state_->flush(ZSTD_e_end));
  VZ_TRY(state_->file->sync());
  return state_->env.sync_directory(parent_directory(state_->path));
}

}  // namespace vz::offline
