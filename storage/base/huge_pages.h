// Large arrays in pages of 2 MiB, where the kernel gives them.
//
// Why: walks over a graph touch rows at random. With pages of 4 KiB nearly each touch misses the
// translation cache too.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include <sys/mman.h>

namespace vz {

inline constexpr std::size_t kHugePageBytes = 2u << 20;

/// Memory that an array takes once its first `size_bytes` were written: above one large page, whole
/// pages.
constexpr std::size_t written_bytes(std::size_t size_bytes, std::size_t array_bytes) {
  if (array_bytes < kHugePageBytes) return size_bytes;
  return (size_bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
}

/// For std::vector. Small blocks are ordinary ones that begin with a cache line. Throws
/// std::bad_alloc, as allocators do.
template <typename T>
class HugePageAllocator {
 public:
  using value_type = T;

  HugePageAllocator() = default;
  template <typename U>
  HugePageAllocator(const HugePageAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    if (count > ~std::size_t{0} / 2 / sizeof(T)) throw std::bad_alloc();
    const std::size_t size = count * sizeof(T);
    if (size < kHugePageBytes) return static_cast<T*>(::operator new(size, kLine));
    const std::size_t rounded = written_bytes(size, size);
    void* const memory = std::aligned_alloc(kHugePageBytes, rounded);
    if (memory == nullptr) throw std::bad_alloc();
    (void)::madvise(memory, rounded, MADV_HUGEPAGE);  // Only a hint: refused, it costs speed.
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count * sizeof(T) < kHugePageBytes) {
      ::operator delete(memory, kLine);
    } else {
      std::free(memory);
    }
  }
  friend bool operator==(const HugePageAllocator&, const HugePageAllocator&) { return true; }

 private:
  static constexpr std::align_val_t kLine{64};
};

/// Numbers without a first value: pages are touched as they are written.
template <typename T>
class HugeArray {
 public:
  HugeArray() = default;
  explicit HugeArray(std::size_t size) : values_(HugePageAllocator<T>().allocate(size), {size}) {}
  [[nodiscard]] T* get() const { return values_.get(); }

 private:
  struct Release {
    std::size_t size = 0;
    void operator()(T* values) const { HugePageAllocator<T>().deallocate(values, size); }
  };
  static_assert(std::is_trivial_v<T>);
  std::unique_ptr<T[], Release> values_;
};

template <typename T>
using HugeVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace vz
